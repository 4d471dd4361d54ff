import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.corpus.curation import shingles as module
from robo_poet.corpus.curation.shingles import SHORT_WORDS, shingles, similarity

POEM = "the old pond a frog leaps in the sound of the water and the evening comes over the hills with the smell of rain and of grass"
WORDS = st.lists(st.sampled_from("sea wind night rose bell stone river light bird snow".split()), min_size=0, max_size=60)


@given(WORDS, WORDS)
def test_the_similarity_is_that_of_the_sets_of_runs_of_three_words(first: list[str], second: list[str]) -> None:
    def runs(words: list[str]) -> set[tuple[str, ...]]:
        if len(words) < SHORT_WORDS:
            return {tuple(words)} - {()}
        for length in (3, 5, 8):
            found = [tuple(words[start : start + length]) for start in range(len(words) - length + 1)]
            if len(set(found)) >= len(found) / 2:
                break
        return set(found)

    a, b = runs(first), runs(second)
    expected = len(a & b) / len(a | b) if a and b else 0
    assert similarity(shingles(" ".join(first)), shingles(" ".join(second))) == pytest.approx(expected)


@pytest.mark.parametrize("edited", [POEM.upper(), POEM.replace(" ", "\n"), POEM.replace("a frog", "a — frog,"), POEM.replace("o", "ó")])
def test_case_accents_punctuation_and_line_breaks_do_not_count(edited: str) -> None:
    assert similarity(shingles(POEM), shingles(edited)) == 1


@pytest.mark.parametrize(
    ("first", "second"), [("Yes.", "No."), ("The pond, a frog leaps", "The pond, a toad leaps"), ("Good night!", "Good night, prince")]
)
def test_short_texts_are_equal_or_different(first: str, second: str) -> None:
    assert similarity(shingles(first), shingles(second)) == 0
    assert similarity(shingles(first), shingles(first.upper())) == 1


@pytest.mark.parametrize("text", ["", " \n", "…!?", "\u200b"])
def test_a_text_without_words_is_like_no_other(text: str) -> None:
    assert len(shingles(text)) == 0
    assert similarity(shingles(text), shingles(text)) == 0


def test_long_texts_of_few_different_words_are_not_alike() -> None:
    """Every run of three words occurs in each of them."""
    rng = random.Random(1)
    first, second = (" ".join(rng.choices("sea wind night rose bell stone".split(), k=3000)) for _ in range(2))
    assert similarity(shingles(first), shingles(second)) < 0.3
    words = first.split()
    words[700:703] = ["a", "new", "line"]
    assert similarity(shingles(first), shingles(" ".join(words))) > 0.95


def test_the_hashes_are_the_same_on_every_machine() -> None:
    assert shingles("one").tolist() == [3815355558890182089]
    assert shingles(POEM)[:2].tolist() == [93257648023909911, 1315366021762417887]


def test_a_long_text_is_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(1)
    text = " ".join(rng.choice(["sea", "wind", "nightingale", "o"]) + str(rng.randrange(999)) for _ in range(3000))
    whole = shingles(text)
    monkeypatch.setattr(module, "_CHUNK", 100)
    assert np.array_equal(shingles(text), whole)


def test_a_huge_word_is_one_word() -> None:
    assert len(shingles("x" * 3_000_000)) == 1
