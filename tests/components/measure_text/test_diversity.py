import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from nltk.util import ngrams as nltk_ngrams
from scipy import stats

from components.measure_text.diversity import distinct, entropy, repetition, self_bleu, sentence_bleus
from components.measure_text.metric import value

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
