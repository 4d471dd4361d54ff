"""Diversity metrics (EVAL-3): distinct n-grams, entropy, repetition, self-BLEU.

N-grams are of words, see `robo_poet.evaluation.degeneration`. Self-BLEU is the similarity of each text to the other texts (Zhu et al.
2018); a high value means little diversity. Its definition compares each text with all others, which is quadratic. BLEU needs only the
largest count of an n-gram in any other text. So the two largest counts of each n-gram, and the owner of the largest, give the exact result
without sampling.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from components.measure_text.metric import Numbers, RowMetric, mean, ratio
from robo_poet.evaluation.degeneration import ngrams

REPETITION_ORDER = 4  # n-gram length of the repetition rate


def distinct(texts: Sequence[list[str]], n: int) -> RowMetric:
    """Return distinct-n: distinct n-grams of all texts over number of their n-grams, in [0, 1]. It falls with the amount of text.

    Li et al. (2016) divide by the number of words, so texts without a repetition would not reach 1 for n > 1. N-grams do not cross texts.
    """
    types, rows = _type_ids(texts, n)
    gram_counts = np.asarray([max(0, len(text) - n + 1) for text in texts], np.float64)
    size = int(types.max(initial=-1)) + 1

    def statistic(weights: Numbers) -> Numbers:
        distinct_counts = [np.count_nonzero(np.bincount(types, weights=resample[rows], minlength=size)) for resample in weights]
        totals = weights @ gram_counts
        return np.where(totals > 0, np.asarray(distinct_counts) / np.maximum(totals, 1), np.nan)

    return RowMetric(statistic)


def entropy(texts: Sequence[list[str]], n: int) -> RowMetric:
    """Return the Shannon entropy of the n-gram distribution over all texts, in bits (Zhang et al. 2018).

    It grows with the amount of text.
    """
    types, rows = _type_ids(texts, n)
    size = int(types.max(initial=-1)) + 1

    def resample_entropy(weights: Numbers) -> float:
        counts = np.bincount(types, weights=weights[rows], minlength=size)
        shares = counts[counts > 0] / max(counts.sum(), 1.0)
        return float(-(shares * np.log2(shares)).sum()) + 0.0 if len(shares) else float("nan")

    return RowMetric(lambda weights: np.asarray([resample_entropy(resample) for resample in weights]))


def repetition(texts: Sequence[list[str]]) -> RowMetric:
    """Return the share of 4-grams that occur earlier in the same text (EVAL-3; seq-rep-4 of Welleck et al. 2020, pooled)."""
    grams = [ngrams(text, REPETITION_ORDER) for text in texts]
    return ratio([len(text_grams) - len(set(text_grams)) for text_grams in grams], [len(text_grams) for text_grams in grams], "share")


def _type_ids(texts: Sequence[list[str]], n: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return two arrays with one item per n-gram of all texts: the id of the distinct n-gram, and the row of its text."""
    type_ids: dict[tuple[str | int, ...], int] = {}
    types, rows = [], []
    for row, text in enumerate(texts):
        for gram in ngrams(text, n):
            types.append(type_ids.setdefault(gram, len(type_ids)))
            rows.append(row)
    return np.asarray(types, np.int64), np.asarray(rows, np.int64)


SELF_BLEU_ORDERS = 4
EPSILON = 0.1  # smoothing method 1 of Chen & Cherry 2014


def self_bleu(texts: Sequence[list[str]]) -> RowMetric:
    """Return the mean sentence BLEU-4 of each text against all other texts. It grows with the number of texts.

    Texts without words are skipped. The interval is that of the mean: the references stay fixed in a resample.
    """
    nonempty = [text for text in texts if text]
    scores = iter(sentence_bleus(nonempty))
    return mean([next(scores) if text else math.nan for text in texts])


def sentence_bleus(texts: Sequence[list[str]]) -> list[float]:
    """Return the BLEU-4 of each text against all others; NaN for a single text. Equal to NLTK's `sentence_bleu` with smoothing method 1."""
    if len(texts) < 2:
        return [math.nan] * len(texts)
    logs = [0.0] * len(texts)
    unmatched = [False] * len(texts)
    for n in range(1, SELF_BLEU_ORDERS + 1):
        counts = [Counter(ngrams(text, n)) for text in texts]
        two_largest = _two_largest(counts)
        for number, text_counts in enumerate(counts):
            matched = sum(min(count, _largest_elsewhere(two_largest[gram], number)) for gram, count in text_counts.items())
            unmatched[number] |= n == 1 and not matched
            logs[number] += math.log((matched or EPSILON) / max(1, text_counts.total())) / SELF_BLEU_ORDERS
    lengths = sorted(len(text) for text in texts)
    return [
        0.0 if is_unmatched else math.exp(score + _brevity(len(text), lengths))
        for text, score, is_unmatched in zip(texts, logs, unmatched, strict=True)
    ]  # fmt: skip


def _two_largest(counts: Sequence[Counter[tuple[str | int, ...]]]) -> dict[tuple[str | int, ...], tuple[int, int, int]]:
    """Return n-gram → (largest count in a text, number of that text, largest count in any other text)."""
    two_largest: dict[tuple[str | int, ...], tuple[int, int, int]] = {}
    for number, text_counts in enumerate(counts):
        for gram, count in text_counts.items():
            first, owner, second = two_largest.get(gram, (0, -1, 0))
            two_largest[gram] = (count, number, first) if count > first else (first, owner, max(second, count))
    return two_largest


def _largest_elsewhere(two_largest: tuple[int, int, int], number: int) -> int:
    first, owner, second = two_largest
    return second if owner == number else first


def _brevity(length: int, lengths: Sequence[int]) -> float:
    """Return the log of the brevity penalty against the closest length of another text. A tie goes to the shorter text."""
    index = bisect_left(lengths, length)
    others = [*lengths[max(0, index - 1) : index], *lengths[index + 1 : index + 2]]
    closest = min(others, key=lambda other: (abs(other - length), other))
    return min(0.0, 1 - closest / length)
