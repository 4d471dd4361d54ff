import pytest

from robo_poet.corpus.words import comparable_words, separate_words


@pytest.mark.parametrize("text", ["Don't, STOP!\n", "don’t—stop", "dön\u200b't stop"])
def test_words_are_compared_without_case_accents_and_punctuation(text: str) -> None:
    assert comparable_words(text) == " don t stop "


@pytest.mark.parametrize("text", ["古池や、蛙", "ภาษา"])
def test_in_scripts_without_spaces_each_character_is_a_word(text: str) -> None:
    assert len(separate_words(text).split()) == 4


def test_other_scripts_keep_their_words() -> None:
    assert separate_words("Бурей мглой").split() == ["буреи", "мглои"]
