import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.content_filter.spellings import pieces, shortened, spelled_out, spellings


@pytest.mark.parametrize(
    ("chunk", "words"),
    [
        ("rose", ["rose"]), ("rose,", ["rose"]), ("“rose”", ["rose"]), ("r.o-s_e", ["r", "o", "s", "e"]), ("he'll", ["he", "ll"]), ("r0$e!", ["r0$e!"]), ("—", []), ("", []),
    ],
)  # fmt: skip
def test_words_of_a_chunk(chunk: str, words: list[str]) -> None:
    assert pieces(chunk) == words


@pytest.mark.parametrize(
    ("piece", "meant"),
    [("rose", "rose"), ("r0s3", "rose"), ("ro$e", "rose"), ("rose!!", "rose"), ("l1ly", "lily"), ("1ily", "lily"), ("!ris", "iris"), ("v!olet", "violet"), ("|ily", "lily")],
)  # fmt: skip
def test_digits_and_signs_stand_for_letters(piece: str, meant: str) -> None:
    assert meant in spellings(piece)


@pytest.mark.parametrize("number", ["455", "1603", "5"])
def test_a_number_is_a_number(number: str) -> None:
    assert spellings(number) == (number,)


@pytest.mark.parametrize(
    ("word", "meant"), [("rooose", "rose"), ("sweeeet", "sweet"), ("rrrrooossse", "rose"), ("bellllll", "bell"), ("aaaaah", "ah")]
)
def test_drawn_out_letters(word: str, meant: str) -> None:
    assert meant in list(shortened(word))


def test_what_is_not_drawn_out_has_no_shorter_spelling() -> None:
    assert list(shortened("assassin")) == []


@given(st.text("abc", max_size=500))
def test_a_word_has_16_shorter_spellings_at_most(word: str) -> None:
    assert len(list(shortened(word))) <= 16


def test_runs_of_single_letters_are_words() -> None:
    assert list(spelled_out("see r o s e and a b then x y z".split())) == ["rose", "xyz"]
