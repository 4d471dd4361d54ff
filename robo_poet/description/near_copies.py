"""Near copies: documents that share most of their words with an earlier document, such as two editions of a poem.

Each document has a sketch, the smallest hashes of its runs of five words (bottom-k sketch, Broder 1997). Two documents with mostly equal
sketches have mostly equal runs. A sketch takes about 15 ms per megabyte of English, and is the same in every process.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from zlib import crc32

import numpy as np

WORD = re.compile(r"\w+")
RUN_WORDS = 5
SKETCH_SIZE = 16
SHARED = 12  # of 16 hashes: about three quarters of all runs of words
LONGEST_LIST = 50  # documents listed per hash; a phrase that more documents share, such as a licence, proves nothing
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F], np.uint64)
_INTEGERS, _MASK = [int(factor) for factor in _FACTORS], 2**64 - 1
FEW_WORDS = 100


def sketch(text: str) -> tuple[int, ...]:
    """Return the 16 smallest hashes of the text's runs of five words, or fewer. Empty for a text of fewer than five words."""
    values = [crc32(word.encode()) for word in WORD.findall(text.casefold())]
    if len(values) < RUN_WORDS:
        return ()
    if len(values) <= FEW_WORDS:
        return _small_sketch(values)
    words = np.array(values, np.uint64)
    count = len(words) - RUN_WORDS + 1
    hashes = np.zeros(count, np.uint64)
    for offset, factor in enumerate(_FACTORS):
        hashes += words[offset : offset + count] * factor  # uint64 arithmetic wraps around
    hashes ^= hashes >> np.uint64(29)
    hashes *= _FACTORS[0]
    hashes ^= hashes >> np.uint64(32)
    if count > SKETCH_SIZE * 64:  # the smallest hashes without sorting all
        hashes = np.partition(hashes, SKETCH_SIZE * 32)[: SKETCH_SIZE * 32]
    return tuple(int(value) for value in np.unique(hashes)[:SKETCH_SIZE])


def _small_sketch(words: list[int]) -> tuple[int, ...]:
    """Return the sketch of a few words: the same numbers as NumPy's, without its 30 µs per document."""
    hashes = set()
    first, second, third, fourth, fifth = _INTEGERS
    for a, b, c, d, e in zip(words, words[1:], words[2:], words[3:], words[4:], strict=False):
        value = (a * first + b * second + c * third + d * fourth + e * fifth) & _MASK
        value = ((value ^ (value >> 29)) * first) & _MASK
        hashes.add(value ^ (value >> 32))
    return tuple(sorted(hashes)[:SKETCH_SIZE])


def near_copies(sketches: Iterable[tuple[int, ...]]) -> list[tuple[int, int]]:
    """Return the pairs (document, earlier document that it mostly repeats), numbered from 0 in the given order.

    A document is in at most one pair as the first element. Documents without a sketch are in none.
    """
    holders: dict[int, list[int]] = defaultdict(list)
    pairs = []
    for number, hashes in enumerate(sketches):
        lists = [holders[value] for value in hashes if value in holders]
        if lists:
            shared = Counter(earlier for numbers in lists for earlier in numbers)
            earlier, count = min(shared.items(), key=lambda item: (-item[1], item[0]))
            if count >= max(2, SHARED * len(hashes) // SKETCH_SIZE):
                pairs.append((number, earlier))
        for value in hashes:
            if len(holders[value]) < LONGEST_LIST:
                holders[value].append(number)
    return pairs
