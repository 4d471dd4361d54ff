"""The longest verbatim overlap of texts with a corpus, exactly, by a suffix array (Manber & Myers 1993; Lee et al. 2022).

Texts and corpus are sorted as one: the longest match of a place in a text is with one of the two places of the corpus that are its
neighbours in the order of suffixes. Suffixes are sorted by prefix doubling, no deeper than a text is long. A large corpus is taken in
parts of whole documents, which changes nothing: no match runs from one document into another.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
PART = 4_000_000  # tokens of the corpus at a time, some 300 MB of memory


def longest_overlaps(corpus: Iterable[Sequence[int]], texts: Sequence[Sequence[int]]) -> list[int]:
    """For each text how many of its tokens in a row stand in one document of the corpus, at most.

    Args:
        corpus, texts: as token ids ≥ 0. A match never runs over the end of a document.
    """
    most = np.zeros(len(texts), np.int64)
    for part in _parts(corpus):
        most = np.maximum(most, _overlaps(part, texts))
    return [int(number) for number in most]


def _parts(corpus: Iterable[Sequence[int]]) -> Iterator[list[Sequence[int]]]:
    part: list[Sequence[int]] = []
    size = 0
    for document in corpus:
        if part and size + len(document) > PART:
            yield part
            part, size = [], 0
        part.append(document)
        size += len(document)
    yield part


def _overlaps(corpus: Sequence[Sequence[int]], texts: Sequence[Sequence[int]]) -> Integers:
    longest = max(map(len, texts), default=0)
    if not longest or not any(map(len, corpus)):
        return np.zeros(len(texts), np.int64)
    tokens, starts = _joined([*corpus, *texts])
    order = _sorted_suffixes(tokens, longest)
    own = order >= starts[len(corpus)]  # places of texts
    corpus_at = np.where(own, -1, np.arange(len(order)))
    before = np.maximum.accumulate(corpus_at)
    behind = np.minimum.accumulate(np.where(own, len(order), corpus_at)[::-1])[::-1]
    ranks = np.flatnonzero(own)
    lengths = np.zeros(len(ranks), np.int64)
    for neighbour in (before[ranks], behind[ranks]):
        there = (neighbour >= 0) & (neighbour < len(order))
        common = _common(tokens, order[ranks[there]], order[neighbour[there]], longest)
        lengths[there] = np.maximum(lengths[there], common)
    most = np.zeros(len(texts), np.int64)
    np.maximum.at(most, np.searchsorted(starts, order[ranks], side="right") - 1 - len(corpus), lengths)
    return most


def _joined(parts: Sequence[Sequence[int]]) -> tuple[Integers, Integers]:
    """All parts in one, each behind it a number that stands nowhere else, and where each part starts."""
    first_end = 1 + max((max(part) for part in parts if len(part)), default=0)
    sizes = np.asarray([len(part) + 1 for part in parts], np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    tokens = np.empty(starts[-1], np.int64)
    for number, (part, start) in enumerate(zip(parts, starts[:-1], strict=True)):
        tokens[start : start + len(part)] = part
        tokens[start + len(part)] = first_end + number
    return tokens, starts[:-1]


def _sorted_suffixes(tokens: Integers, depth: int) -> Integers:
    """Places in the order of their first `depth` tokens, at least; prefix doubling."""
    order, names = _named(tokens)
    length = 1
    while length < depth and names[order[-1]] < len(tokens) - 1:
        following = np.zeros(len(tokens), np.int64)
        following[:-length] = names[length:] + 1
        order, names = _named(names * (len(tokens) + 1) + following)
        length *= 2
    return order


def _named(keys: Integers) -> tuple[Integers, Integers]:
    """The order of the keys, and each key's number among the different ones."""
    order: Integers = np.argsort(keys, kind="stable").astype(np.int64)
    ranked = keys[order]
    names = np.empty(len(keys), np.int64)
    names[order] = np.concatenate([[0], np.cumsum(ranked[1:] != ranked[:-1])])
    return order, names


def _common(tokens: Integers, left: Integers, right: Integers, limit: int) -> Integers:
    """How many tokens two places have in common; the ends of parts are all different, so it stops there."""
    common = np.zeros(len(left), np.int64)
    open_ = np.arange(len(left))
    for length in range(limit):
        inside = np.maximum(left[open_], right[open_]) + length < len(tokens)
        open_ = open_[inside]
        open_ = open_[tokens[left[open_] + length] == tokens[right[open_] + length]]
        if not len(open_):
            break
        common[open_] = length + 1
    return common
