"""Self-BLEU: similarity of each text to the other texts (Zhu et al. 2018). A high value means little diversity.

The definition compares each text with all others, which is quadratic. BLEU needs only the largest count of an n-gram in any other text.
So two largest counts of each n-gram, and the owner of the largest, give the exact result for every text, without sampling.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from components.measure_text.measure import Measure, mean
from components.measure_text.words import ngrams

ORDERS = 4
EPSILON = 0.1  # smoothing method 1 of Chen & Cherry 2014


def self_bleu(texts: Sequence[list[str]]) -> Measure:
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
    for n in range(1, ORDERS + 1):
        counts = [Counter(ngrams(text, n)) for text in texts]
        two_largest = _two_largest(counts)
        for number, text_counts in enumerate(counts):
            matched = sum(min(count, _elsewhere(two_largest[gram], number)) for gram, count in text_counts.items())
            unmatched[number] |= n == 1 and not matched
            logs[number] += math.log((matched or EPSILON) / max(1, text_counts.total())) / ORDERS
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


def _elsewhere(two_largest: tuple[int, int, int], number: int) -> int:
    first, owner, second = two_largest
    return second if owner == number else first


def _brevity(length: int, lengths: Sequence[int]) -> float:
    """Return the log of the brevity penalty against the closest length of another text. A tie goes to the shorter text."""
    index = bisect_left(lengths, length)
    others = [*lengths[max(0, index - 1) : index], *lengths[index + 1 : index + 2]]
    closest = min(others, key=lambda other: (abs(other - length), other))
    return min(0.0, 1 - closest / length)
