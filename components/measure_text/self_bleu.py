"""Self-BLEU: how much each text is like the others (Zhu et al. 2018). High is monotonous.

Defined, it compares each text with all others, which is quadratic. BLEU asks of the others only how often at most one of them holds an
n-gram: the two largest counts and whose the largest is answer that for every text at once, so that no sample is needed.
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
    """Mean sentence BLEU-4 of each text with all others as its references; it grows with their number.

    A text without words is no text here. The interval is that of the mean: what a text is compared with stays.
    """
    written = [text for text in texts if text]
    scores = iter(sentence_bleus(written))
    return mean([next(scores) if text else math.nan for text in texts])


def sentence_bleus(texts: Sequence[list[str]]) -> list[float]:
    """BLEU-4 of each text against all others; NaN of a text that is alone. Equal to NLTK's `sentence_bleu` with its method 1."""
    if len(texts) < 2:
        return [math.nan] * len(texts)
    logs = [0.0] * len(texts)
    unmatched = [False] * len(texts)
    for n in range(1, ORDERS + 1):
        counts = [Counter(ngrams(text, n)) for text in texts]
        most = _two_largest(counts)
        for number, own in enumerate(counts):
            matched = sum(min(count, _elsewhere(most[gram], number)) for gram, count in own.items())
            unmatched[number] |= n == 1 and not matched
            logs[number] += math.log((matched or EPSILON) / max(1, own.total())) / ORDERS
    lengths = sorted(len(text) for text in texts)
    return [
        0.0 if nothing else math.exp(score + _brevity(len(text), lengths))
        for text, score, nothing in zip(texts, logs, unmatched, strict=True)
    ]  # fmt: skip


def _two_largest(counts: Sequence[Counter[tuple[str | int, ...]]]) -> dict[tuple[str | int, ...], tuple[int, int, int]]:
    """n-gram → the largest count in a text, whose it is, and the largest in any other."""
    most: dict[tuple[str | int, ...], tuple[int, int, int]] = {}
    for number, own in enumerate(counts):
        for gram, count in own.items():
            first, owner, second = most.get(gram, (0, -1, 0))
            most[gram] = (count, number, first) if count > first else (first, owner, max(second, count))
    return most


def _elsewhere(most: tuple[int, int, int], number: int) -> int:
    first, owner, second = most
    return second if owner == number else first


def _brevity(length: int, lengths: Sequence[int]) -> float:
    """Logarithm of the brevity penalty against the closest length of another text, the shorter of two equally close."""
    at = bisect_left(lengths, length)
    others = [*lengths[max(0, at - 1) : at], *lengths[at + 1 : at + 2]]
    closest = min(others, key=lambda other: (abs(other - length), other))
    return min(0.0, 1 - closest / length)
