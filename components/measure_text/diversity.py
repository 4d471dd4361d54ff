"""Diversity metrics (EVAL-3): distinct n-grams, repetition within a text, entropy. N-grams are of words, see `words`."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from components.measure_text.interval import Numbers
from components.measure_text.measure import Measure, ratio
from components.measure_text.words import ngrams

REPEATED = 4  # n-gram length of the repetition rate


def distinct(texts: Sequence[list[str]], n: int) -> Measure:
    """Return distinct-n: distinct n-grams of all texts over number of words (Li et al. 2016). It falls with the amount of text."""
    types, rows = _numbered(texts, n)
    lengths = np.asarray([len(text) for text in texts], np.float64)
    size = int(types.max(initial=-1)) + 1

    def statistic(weights: Numbers) -> Numbers:
        distinct_counts = [np.count_nonzero(np.bincount(types, weights=resample[rows], minlength=size)) for resample in weights]
        word_counts = weights @ lengths
        return np.where(word_counts > 0, np.asarray(distinct_counts) / np.maximum(word_counts, 1), np.nan)

    return Measure(statistic)


def entropy(texts: Sequence[list[str]], n: int) -> Measure:
    """Return the Shannon entropy of the n-gram distribution over all texts, in bits (Zhang et al. 2018).

    It grows with the amount of text.
    """
    types, rows = _numbered(texts, n)
    size = int(types.max(initial=-1)) + 1

    def resample_entropy(weights: Numbers) -> float:
        counts = np.bincount(types, weights=weights[rows], minlength=size)
        shares = counts[counts > 0] / max(counts.sum(), 1.0)
        return float(-(shares * np.log2(shares)).sum()) + 0.0 if len(shares) else float("nan")

    return Measure(lambda weights: np.asarray([resample_entropy(resample) for resample in weights]))


def repetition(texts: Sequence[list[str]]) -> Measure:
    """Return the share of 4-grams that occur earlier in the same text (EVAL-3; seq-rep-4 of Welleck et al. 2020, pooled)."""
    grams = [ngrams(text, REPEATED) for text in texts]
    return ratio([len(text_grams) - len(set(text_grams)) for text_grams in grams], [len(text_grams) for text_grams in grams], "share")


def _numbered(texts: Sequence[list[str]], n: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return two (n-grams,) arrays over all texts: the type ID of each n-gram, and its row."""
    type_ids: dict[tuple[str | int, ...], int] = {}
    types, rows = [], []
    for row, text in enumerate(texts):
        for gram in ngrams(text, n):
            types.append(type_ids.setdefault(gram, len(type_ids)))
            rows.append(row)
    return np.asarray(types, np.int64), np.asarray(rows, np.int64)
