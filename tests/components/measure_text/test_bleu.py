import math

import numpy as np
import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st
from nltk.translate.bleu_score import SmoothingFunction
from nltk.translate.bleu_score import corpus_bleu as nltk_corpus_bleu

from components.measure_text.bleu import bleu, corpus_bleu, human_bleu
from components.measure_text.metric import value

TEXT = st.lists(st.sampled_from("a b c d e".split()), max_size=12).map(" ".join)
PAIRS = st.lists(st.tuples(TEXT, TEXT.filter(bool)), min_size=1, max_size=8)


@given(PAIRS)
def test_corpus_bleu_equals_sacrebleu(pairs):
    hypotheses, references = zip(*pairs, strict=True)
    theirs = sacrebleu.corpus_bleu(list(hypotheses), [list(references)], smooth_method="floor", smooth_value=0.1).score / 100
    assert corpus_bleu(hypotheses, references) == pytest.approx(theirs, abs=1e-12)


# NLTK counts a 4-gram, a wrong one, in a text of fewer than four words; where all have four the two are one.
FOUR = st.lists(st.sampled_from("a b c d e".split()), min_size=4, max_size=12).map(" ".join)


@given(st.lists(st.tuples(FOUR, TEXT.filter(bool)), min_size=1, max_size=8))
def test_corpus_bleu_equals_nltk_with_smoothing_method_1(pairs):
    hypotheses, references = zip(*pairs, strict=True)
    theirs = nltk_corpus_bleu(
        [[r.split()] for r in references], [h.split() for h in hypotheses], smoothing_function=SmoothingFunction().method1
    )
    assert corpus_bleu(hypotheses, references) == pytest.approx(theirs, abs=1e-9)


@given(PAIRS, st.data())
def test_a_resample_is_the_corpus_of_its_rows(pairs, data):
    weights = data.draw(st.lists(st.integers(0, 3), min_size=len(pairs), max_size=len(pairs)).filter(any))
    drawn = [pair for pair, weight in zip(pairs, weights, strict=True) for _ in range(weight)]
    resampled = bleu(*zip(*pairs, strict=True)).statistic(np.asarray([weights], float))[0]
    assert resampled == pytest.approx(corpus_bleu(*zip(*drawn, strict=True)), abs=1e-12)


def test_worked_examples():
    assert corpus_bleu(["a b c d"], ["a b c d"]) == pytest.approx(1.0)
    # 4 words, 3 of them right in a row: p1 3/4, p2 2/3, p3 1/2, p4 0.1/1 (method 1 of Chen & Cherry), no brevity penalty
    assert corpus_bleu(["a b c x"], ["a b c d"]) == pytest.approx((3 / 4 * 2 / 3 * 1 / 2 * 0.1) ** 0.25)
    # half as long as the reference: all n-grams right, brevity penalty exp(1 − 8/4)
    assert corpus_bleu(["a b c d"], ["a b c d e f g h"]) == pytest.approx(math.exp(-1))
    # Papineni et al. 2002: `the` is in the reference twice, so that of seven only two count
    assert bleu(["the the the the the the the"], ["the cat is on the mat"]).statistic(np.ones((1, 1)))[0] < 0.2


def test_empty_completions_have_bleu_0_and_no_references_give_nan():
    assert corpus_bleu(["", ""], ["a b c d", "e f g h"]) == 0
    assert math.isnan(corpus_bleu([], []))


def test_human_bleu_compares_references_of_one_work():
    references = ["the king is in the hall", "the king is in the garden", "ships sail over the grey sea", "we plough the long field"]
    measured = human_bleu(references, ["a", "a", "b", "c"], seed=1)
    swapped = corpus_bleu([references[1], references[0]], references[:2])
    assert value(measured.statistic, 4) == pytest.approx(swapped) and swapped > 0.3
    alone = value(human_bleu(references, list("abcd"), seed=1).statistic, 4)
    assert 0 < alone < 1, "of other works, where each has one place"
    assert math.isnan(value(human_bleu(references[:1], ["a"], seed=1).statistic, 1))
