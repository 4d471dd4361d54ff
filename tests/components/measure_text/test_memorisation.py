import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.measure_text.memorisation import longest_overlaps

DOCUMENT = st.lists(st.integers(0, 2), max_size=14)


def brute_force(corpus, text):
    runs = {tuple(document[at:end]) for document in corpus for at in range(len(document)) for end in range(at, len(document) + 1)}
    return max((end - at for at in range(len(text)) for end in range(at, len(text) + 1) if tuple(text[at:end]) in runs), default=0)


@given(st.lists(DOCUMENT, max_size=6), st.lists(DOCUMENT, max_size=4))
def test_the_longest_match_equals_brute_force(corpus, texts):
    assert longest_overlaps(corpus, texts) == [brute_force(corpus, text) for text in texts]


def test_a_match_does_not_run_over_the_end_of_a_document():
    assert longest_overlaps([[1, 2, 3], [4, 5, 6]], [[2, 3, 4, 5], [9, 4, 5, 6], [1, 2, 3, 4, 5, 6]]) == [2, 3, 3]


def test_texts_do_not_match_each_other():
    assert longest_overlaps([[7]], [[1, 2, 3], [1, 2, 3], []]) == [0, 0, 0]
    assert longest_overlaps([], [[1, 2]]) == longest_overlaps([[]], [[1, 2]]) == [0]
    assert longest_overlaps([[1]], []) == []


@pytest.mark.parametrize(("tokens", "seconds"), [(100_000, 3), pytest.param(2_000_000, 60, marks=pytest.mark.soak)])
def test_a_planted_copy_is_found_in_a_large_corpus(tokens, seconds):
    random = np.random.default_rng(3)
    corpus = np.minimum(random.zipf(1.3, tokens), 4000).reshape(50, -1).tolist()
    texts = (4001 + random.integers(0, 1000, (200, 64))).tolist()
    for number, text in enumerate(texts[:60], start=1):
        text[2 : 2 + number] = corpus[number % 50][number : 2 * number]
    begun = time.perf_counter()
    assert longest_overlaps(corpus, texts) == [*range(1, 61), *[0] * 140]
    assert time.perf_counter() - begun < seconds


@given(st.lists(DOCUMENT, max_size=6), st.lists(DOCUMENT, max_size=4), st.integers(1, 20))
def test_processing_a_corpus_in_parts_gives_the_same_result(corpus, texts, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("components.measure_text.memorisation.PART_TOKENS", size)
        assert longest_overlaps(iter(corpus), texts) == [brute_force(corpus, text) for text in texts]
