import random

import pytest

from robo_poet.description import near_copies as near_copies_module
from robo_poet.description.near_copies import near_copies, sketch

WORDS = [f"word{number}" for number in range(400)]


def text(seed: int, words: int = 200) -> str:
    dice = random.Random(seed)
    return " ".join(dice.choice(WORDS) for _ in range(words))


def test_a_copy_with_a_few_other_words_is_found() -> None:
    words = text(1).split()
    words[50], words[150] = "changed", "other"
    documents = [text(0), text(1), text(2), " ".join(words)]
    assert near_copies(map(sketch, documents)) == [(3, 1)]


def test_case_and_punctuation_do_not_matter() -> None:
    assert near_copies([sketch(text(1)), sketch(text(1).upper().replace(" ", ", "))]) == [(1, 0)]


def test_different_texts_are_no_copies() -> None:
    assert near_copies(sketch(text(seed)) for seed in range(60)) == []


def test_texts_that_share_half_of_their_words_are_no_copies() -> None:
    first, second = text(1), text(2)
    assert near_copies(map(sketch, [first, " ".join(first.split()[:100] + second.split()[:100])])) == []


def test_short_texts_have_no_sketch() -> None:
    assert sketch("only four short words") == () == sketch("")
    assert near_copies([(), ()]) == []


def test_a_long_text_has_the_smallest_hashes_of_all() -> None:
    long = text(3, 5000)
    assert len(sketch(long)) == 16
    assert near_copies([sketch(long), sketch(long + " and more words at the end")]) == [(1, 0)]


def test_few_words_give_the_same_sketch_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [text(seed, words) for seed, words in enumerate((0, 4, 5, 6, 20, 21, 99, 100))]
    small = [sketch(words) for words in texts]
    monkeypatch.setattr(near_copies_module, "FEW_WORDS", 0)
    assert [sketch(words) for words in texts] == small
