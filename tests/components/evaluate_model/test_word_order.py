"""The measure of word order, on texts whose truth is known, and its text functions as properties."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluate_model.word_order import MINIMUM_WORDS, SAMPLE_BYTES, WORD, shuffle_words, word_order_estimate, word_order_sample
from robo_poet.corpus.document import Document
from robo_poet.evaluation.likelihood import DocumentLikelihood, document_likelihood

WORDS = "the quiet river turns slowly under a pale moon and sings of ships".split()


def document(number: int, text: str) -> Document:
    return Document(f"d{number}", f"w{number}", text, "test", author="", source="own", genre="", language="en", date="")


def in_order(words: Sequence[str]) -> int:
    """The number of adjacent pairs that are in the order of WORDS."""
    return sum(left in WORDS and WORDS[(WORDS.index(left) + 1) % len(WORDS)] == right for left, right in pairwise(words))


def likelihoods(documents: Sequence[Document]) -> list[DocumentLikelihood]:
    """A model that knows the cycle WORDS: 1 nat for a word that follows, 4 for another."""
    rows = []
    for each in documents:
        words = WORD.findall(each.text)
        nats = 4.0 * len(words) - 3.0 * in_order(words)
        rows.append(document_likelihood(each, tokens=len(words), first=0, among_five=0, nats=nats, unigram_nats=9.0 * len(words)))
    return rows


def cycles(count: int, words: int = 60) -> list[Document]:
    return [document(number, " ".join(WORDS[(number + place) % len(WORDS)] for place in range(words))) for number in range(count)]


@given(st.text(), st.integers(0, 2**32))
def test_a_shuffled_text_has_the_same_words_and_white_space(text: str, seed: int) -> None:
    shuffled = shuffle_words(text, seed)
    assert Counter(WORD.findall(shuffled)) == Counter(WORD.findall(text))
    assert WORD.sub("", shuffled) == WORD.sub("", text) and len(shuffled.encode("utf-8", "surrogatepass")) == len(
        text.encode("utf-8", "surrogatepass")
    )
    assert shuffled == shuffle_words(text, seed)


def test_scripts_without_spaces_have_a_word_per_character() -> None:
    assert WORD.findall("静かな川 ok, 月光") == ["静", "か", "な", "川", "ok,", "月", "光"]
    assert len(WORD.findall("แม่น้ำไหลช้า")) == 12
    assert shuffle_words("春眠不觉晓处处闻啼鸟夜来风雨声", 1) != "春眠不觉晓处处闻啼鸟夜来风雨声"


def test_a_model_of_word_order_saves_bits() -> None:
    documents = cycles(12)
    estimate = word_order_estimate(likelihoods(documents), documents, likelihoods, seed=1)
    assert estimate is not None and 0.6 < estimate.low <= estimate.value <= estimate.high < 0.8
    assert (estimate.units, estimate.unit) == (12, "work")


@pytest.mark.parametrize("seed", range(5))
def test_a_text_whose_words_are_shuffled_already_saves_nothing(seed: int) -> None:
    documents = [replace(each, text=shuffle_words(each.text, 100 * seed + number)) for number, each in enumerate(cycles(20))]
    estimate = word_order_estimate(likelihoods(documents), documents, likelihoods, seed)
    assert estimate is not None and abs(estimate.value) < 0.05 and estimate.low < 0 < estimate.high


def test_short_documents_are_left_out_and_a_long_corpus_is_sampled() -> None:
    short, long = document(0, " ".join(WORDS[: MINIMUM_WORDS - 1])), document(1, " ".join(WORDS[:MINIMUM_WORDS]))
    assert word_order_sample([short, long], 1) == [1]
    assert word_order_estimate(likelihoods([short]), [short], likelihoods, 1) is None
    many = [replace(each, text=" ".join([each.text] * 40)) for each in cycles(60)]
    sample = word_order_sample(many, 1)
    size = sum(len(many[number].text.encode()) for number in sample)
    assert SAMPLE_BYTES <= size < SAMPLE_BYTES + max(len(each.text) for each in many) and sample == sorted(set(sample))
    assert word_order_sample(many, 2) != sample
