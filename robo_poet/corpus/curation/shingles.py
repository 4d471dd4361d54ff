"""The set of a text that near-duplicates share: hashes of its runs of three words (shingles; Broder 1997).

The words are compared without case, accents, punctuation and line breaks. So two editions that differ only in these are equal.
In scripts without spaces between words, each character counts as a word.
"""

from collections.abc import Iterator
from hashlib import blake2b
from zlib import crc32

import numpy as np
import numpy.typing as npt

from robo_poet.corpus.words import separate_words

Hashes = npt.NDArray[np.uint64]

# the shortest of which at least half are distinct: in long texts of few different words, all have the same runs of three words
SHINGLE_WORDS = (3, 5, 8)
DISTINCT = 0.5
SHORT_WORDS = 20  # a shorter text is one shingle: one changed word of a haiku makes another poem, and templates differ in one word
_CHUNK = 1 << 20  # characters whose words are in memory as objects
_FACTORS = np.array(
    [
        0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB,
        0x8EBC6AF09C88C6E3, 0x589965CC75374CC3,
    ],
    np.uint64,
)  # fmt: skip


def shingles(text: str) -> Hashes:
    """Return the sorted, distinct hashes of a text's shingles. They depend on the words only, and are the same on every machine.

    - A text of fewer than 20 words has one shingle, all of its words. So it is a near-duplicate only of the same words in the same order.
    - If under half of a text's runs of three words are distinct, runs of five words are used, or else of eight.
    - A text without letters and digits has none.
    """
    words = separate_words(text)
    few = words.split(maxsplit=SHORT_WORDS)
    if not few:
        return np.zeros(0, np.uint64)
    if len(few) < SHORT_WORDS:
        return np.array([int.from_bytes(blake2b(" ".join(few).encode(), digest_size=8).digest())], np.uint64)
    values = np.concatenate([np.array([crc32(word.encode()) for word in piece.split()], np.uint64) for piece in _pieces(words)])
    for length in SHINGLE_WORDS:
        hashes = _distinct_runs(values, length)
        if len(hashes) >= DISTINCT * (len(values) - length + 1):
            break
    return hashes


def _distinct_runs(values: Hashes, length: int) -> Hashes:
    """Return the sorted, distinct hashes of the runs of `length` words."""
    count = len(values) - length + 1
    hashes = np.zeros(count, np.uint64)
    for offset, factor in enumerate(_FACTORS[:length]):
        hashes += values[offset : offset + count] * factor  # uint64 arithmetic wraps around
    hashes ^= hashes >> np.uint64(29)
    hashes *= _FACTORS[0]
    hashes ^= hashes >> np.uint64(32)
    hashes.sort()
    distinct: Hashes = hashes[np.concatenate([[True], hashes[1:] != hashes[:-1]])]
    return distinct


def _pieces(words: str) -> Iterator[str]:
    """Yield the words in pieces that end at a space."""
    start = 0
    while start < len(words):
        end = words.find(" ", start + _CHUNK)
        end = len(words) if end < 0 else end
        yield words[start:end]
        start = end


def similarity(first: Hashes, second: Hashes) -> float:
    """Return the Jaccard similarity of two sets: their common hashes over all of their hashes. 0 if one is empty."""
    if not len(first) or not len(second):
        return 0.0
    if len(first) == 1 or len(second) == 1:
        common = int(np.isin(first, second).sum()) if len(first) != len(second) else int(first[0] == second[0])
    else:
        both = np.concatenate([first, second])
        both.sort(kind="stable")  # two sorted runs: a merge
        common = int(np.count_nonzero(both[1:] == both[:-1]))
    return common / (len(first) + len(second) - common)
