from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.util import ngrams as nltk_ngrams
from scipy import stats

from components.measure_text.diversity import distinct, entropy, repetition
from components.measure_text.interval import value
from components.measure_text.words import ngrams, words

TEXTS = st.lists(st.lists(st.sampled_from("abc"), max_size=12), min_size=1, max_size=6)


@given(TEXTS, st.integers(1, 4))
def test_they_are_what_a_count_says(texts, n):
    grams = Counter(gram for text in texts for gram in nltk_ngrams(text, n))
    length = sum(map(len, texts))
    assert value(distinct(texts, n).statistic, len(texts)) == pytest.approx(len(grams) / length if length else np.nan, nan_ok=True)
    expected = stats.entropy(list(grams.values()), base=2) if grams else np.nan
    assert value(entropy(texts, n).statistic, len(texts)) == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_worked_examples():
    text = "the cat and the dog".split()
    assert value(distinct([text], 1).statistic, 1) == 4 / 5
    assert value(distinct([text], 2).statistic, 1) == 4 / 5  # four bigrams, all different, over five words (Li et al. 2016)
    assert value(entropy([list("aabb")], 1).statistic, 1) == 1
    # a b c d a b c d: five 4-grams, the last stood before
    assert value(repetition([list("abcdabcd")]).statistic, 1) == 1 / 5
    assert value(repetition([list("abcdabcd"), list("wxyz")]).statistic, 2) == 1 / 6
    assert np.isnan(value(repetition([list("abc")]).statistic, 1))


@given(TEXTS, st.integers(1, 3))
def test_a_text_that_is_left_out_counts_for_nothing(texts, n):
    weights = np.asarray([[0.0] + [1.0] * (len(texts) - 1)])
    for measure in (distinct, entropy):
        rest = measure(texts[1:], n)
        assert measure(texts, n).statistic(weights)[0] == pytest.approx(value(rest.statistic, len(texts) - 1), nan_ok=True)


def test_repetition_does_not_look_into_other_texts():
    assert value(repetition([list("abcde")] * 5).statistic, 5) == 0


def test_words():
    assert words("O'er the Sea, to-night! 3.5") == ["o'er", "the", "sea", ",", "to-night", "!", "3", ".", "5"]
    assert words("") == [] == ngrams([], 1)
    assert ngrams(["a", "b"], 3) == []
