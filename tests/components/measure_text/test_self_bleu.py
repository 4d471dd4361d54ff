import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from components.measure_text.interval import value
from components.measure_text.self_bleu import self_bleu, sentence_bleus


@given(st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=12), min_size=2, max_size=7))
def test_each_text_against_all_others_is_nltk_s(texts):
    for number, (text, ours) in enumerate(zip(texts, sentence_bleus(texts), strict=True)):
        others = texts[:number] + texts[number + 1 :]
        theirs = sentence_bleu(others, text, smoothing_function=SmoothingFunction().method1)
        assert ours == pytest.approx(theirs, abs=1e-12)


def test_texts_that_say_the_same_are_1_and_texts_that_share_nothing_0():
    assert value(self_bleu(["the rose sleeps now".split()] * 5).statistic, 5) == pytest.approx(1)
    assert value(self_bleu(["a b c d".split(), "e f g h".split()]).statistic, 2) == 0


def test_one_text_has_no_others_and_an_empty_one_is_none():
    assert math.isnan(value(self_bleu([["a"]]).statistic, 1))
    assert math.isnan(value(self_bleu([["a"], []]).statistic, 2))
    assert value(self_bleu([list("abcd"), [], list("abcd")]).statistic, 3) == pytest.approx(1)
