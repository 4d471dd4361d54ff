"""Near-duplicates: documents whose shingles are mostly those of a document that is kept.

1. Each document has a MinHash signature of its shingles (library `rensa`). Parts of the signature are band keys. Two documents with an
   equal key in a band are candidates (locality-sensitive hashing).
2. The documents are visited in order of preference, the longest first. A document is a near-duplicate if a candidate that was kept
   before it has at least the similarity. The similarity is exact: it is computed from the shingles.

Each near-duplicate has a kept document of at least that similarity. Two kept documents that were compared are less similar. If A is similar
to B, and B to C, but A is not similar to C, then A and C are kept and B is dropped. The result depends on the documents only, not on the
order in which they are read.

The distributed form (`components.ingest.distributed_examination`) uses the same functions: workers compute the keys and the shared
buckets, and the step calls `choose`.
"""

import tempfile
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
import rensa

from robo_poet.corpus.curation.shingles import Hashes, similarity

PERMUTATIONS, SEED = 128, 1
CERTAINTY = 0.98  # smallest probability that a pair of exactly the wanted similarity is a candidate
BATCH = 4096  # documents per call of the library
BATCH_SHINGLES = 1 << 20
MOST_HOLDERS = 32  # kept documents per band key that later documents are compared with; more of them share a template
MOST_COMPARED = 16  # exact comparisons per document: those that share the most keys. Bounds the time in a corpus of templates
Keys = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """A near-duplicate, the document that is kept instead (both as positions, from 0), and their exact similarity."""

    position: int
    kept: int
    similarity: float


def bands_of(wanted: float) -> tuple[int, int]:
    """Return (bands, rows per band) of the signature for a similarity in (0, 1].

    Among the shapes that find a pair of exactly this similarity with a probability of at least 0.98, the one with the most rows is taken.
    It has the fewest candidates that are not near-duplicates.
    """
    shapes = ((PERMUTATIONS // rows, rows) for rows in range(PERMUTATIONS, 0, -1))
    return next(((bands, rows) for bands, rows in shapes if 1 - (1 - wanted**rows) ** bands >= CERTAINTY), (PERMUTATIONS, 1))


def band_keys(batch: Sequence[Hashes], wanted: float) -> Keys:
    """Return the keys of a batch of documents, one row per document and one column per band."""
    bands, rows = bands_of(wanted)
    offsets = np.zeros(len(batch) + 1, np.uint64)
    np.cumsum([len(hashes) for hashes in batch], out=offsets[1:])
    matrix = rensa.RMinHash.digest_matrix_from_flat_token_hashes(np.concatenate(batch), offsets, PERMUTATIONS, SEED)
    signatures = np.array(matrix.to_rows(), np.uint64)[:, : bands * rows].reshape(len(batch), bands, rows)
    keys = np.zeros((len(batch), bands), np.uint64)
    for row in range(rows):  # a polynomial hash; wraps around
        keys = (keys ^ signatures[:, :, row]) * np.uint64(0x9E3779B97F4A7C15)
    return (keys >> np.uint64(32)).astype(np.uint32)


class KeyCollector:
    """Collects the band keys of documents, in batches of the library."""

    def __init__(self, wanted: float) -> None:
        self._wanted = wanted
        self._batch: list[Hashes] = []
        self._size = 0
        self._keys: list[Keys] = []

    def add(self, hashes: Hashes) -> None:
        """Add the shingles of the next document."""
        self._batch.append(hashes)
        self._size += len(hashes)
        if len(self._batch) >= BATCH or self._size >= BATCH_SHINGLES:
            self._flush()

    def _flush(self) -> None:
        if self._batch:
            self._keys.append(band_keys(self._batch, self._wanted))
            self._batch, self._size = [], 0

    def keys(self) -> Keys:
        """Return the keys of all documents, one row per document, and forget them."""
        self._flush()
        keys = np.concatenate(self._keys) if self._keys else np.zeros((0, bands_of(self._wanted)[0]), np.uint32)
        self._keys = []
        return keys


class ShingleFile:
    """The shingles of documents in an unnamed temporary file: 8 bytes per shingle. Use it as a context manager.

    Args:
        folder: folder of the file; None for the system's.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  closed by __exit__
        self._ends = array("q", [0])
        self._mapped: Hashes | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._mapped = None
        self._file.close()

    def __len__(self) -> int:
        return len(self._ends) - 1

    def add(self, hashes: Hashes) -> None:
        """Add the shingles of the next document. They are numbered from 0."""
        self._file.write(hashes.tobytes())
        self._ends.append(self._ends[-1] + len(hashes))

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Return the number of shingles of each document."""
        ends = np.frombuffer(self._ends, np.int64)
        return ends[1:] - ends[:-1]

    def shingles(self, position: int) -> Hashes:
        """Return the shingles of a document, after the last `add`."""
        if self._mapped is None:
            self._file.flush()
            empty = self._ends[-1] == 0
            self._mapped = np.zeros(0, np.uint64) if empty else np.memmap(self._file, np.uint64, "r").view(np.ndarray)
        return self._mapped[self._ends[position] : self._ends[position + 1]]


class ShingleStore(ShingleFile):
    """The shingles and band keys of documents.

    Args:
        wanted: the smallest similarity of near-duplicates.
        folder: see `ShingleFile`.
    """

    def __init__(self, wanted: float, folder: Path | None = None) -> None:
        super().__init__(folder)
        self.wanted = wanted
        self._keys = KeyCollector(wanted)

    def add(self, hashes: Hashes) -> None:
        """Add the shingles of the next document."""
        super().add(hashes)
        self._keys.add(hashes)

    def find(self, preference: npt.NDArray[np.int64], fixed: int = 0) -> tuple[list[NearDuplicate], int]:
        """Return the near-duplicates, and how many documents had more candidates than were compared.

        Args:
            preference: the positions of all documents, the one to keep first.
            fixed: number of documents at the beginning of it that are kept even if they are near-duplicates of each other.
        """
        buckets = shared_buckets(self._keys.keys(), self.lengths > 0)
        return choose(buckets, self.lengths, preference, self.shingles, self.wanted, fixed)


Numbers = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Buckets:
    """The band keys that at least two documents share.

    Args:
        positions, numbers: the document `positions[i]` is in the bucket `numbers[i]`; a bucket is a band and a key, numbered from 0.
        sizes: number of documents in each bucket.
    """

    positions: Numbers
    numbers: Numbers
    sizes: npt.NDArray[np.int64]


def choose(
    shared_keys: Buckets,
    lengths: npt.NDArray[np.int64],
    preference: npt.NDArray[np.int64],
    shingles_of: Callable[[int], Hashes],
    wanted: float,
    fixed: int = 0,
) -> tuple[list[NearDuplicate], int]:
    """Choose the documents to keep, and return the near-duplicates of them, by preference.

    Args:
        shared_keys: the documents that share band keys. All others are kept.
        lengths: number of shingles of each document.
        preference: the positions of all documents, the one to keep first.
        shingles_of: position → shingles.
        wanted: the smallest similarity.
        fixed: number of documents at the beginning of `preference` that are always kept.

    Returns:
        The near-duplicates, and how many documents had more than 16 candidates, so that a near-duplicate may have been missed.
    """
    sizes = shared_keys.sizes
    rank_of = np.empty(len(preference), np.int32)
    rank_of[preference] = np.arange(len(preference), dtype=np.int32)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]) if len(sizes) else np.zeros(0, np.int64)
    slots = array("i", bytes(4 * len(shared_keys.positions)))  # kept documents of each bucket, by rank
    used = array("i", bytes(4 * len(sizes)))
    found: list[NearDuplicate] = []
    cut = 0
    for rank, own in _by_document(rank_of[shared_keys.positions], shared_keys.numbers):
        shared: Counter[int] = Counter()
        for bucket in own:
            if count := used[bucket]:
                shared.update(slots[starts[bucket] : starts[bucket] + count])
        position = int(preference[rank])
        length = lengths[position]
        longest, shortest = length / wanted + 1e-9, length * wanted - 1e-9  # sets of other sizes are less similar
        candidates = [other for other in shared if shortest <= lengths[preference[other]] <= longest]
        candidates.sort(key=lambda other: (-shared[other], other))
        best, kept = 0.0, -1
        hashes = shingles_of(position)
        for other in candidates[:MOST_COMPARED]:
            value = similarity(hashes, shingles_of(int(preference[other])))
            if value >= wanted and value > best:
                best, kept = value, int(preference[other])
        if kept >= 0 and rank >= fixed:
            found.append(NearDuplicate(position, kept, best))
            continue
        cut += len(candidates) > MOST_COMPARED
        for bucket in own:
            if used[bucket] < MOST_HOLDERS:
                slots[starts[bucket] + used[bucket]] = rank
                used[bucket] += 1
    return found, cut


def shared_buckets(keys: Keys, eligible: npt.NDArray[np.bool_]) -> Buckets:
    """Return the keys that at least two documents share. The documents of a bucket follow each other.

    Args:
        keys: band keys, one row per document and one column per band.
        eligible: the documents that take part.
    """
    rows = np.flatnonzero(eligible).astype(np.int32)
    positions, numbers, sizes, number = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)], [np.zeros(0, np.int64)], 0
    for band in range(keys.shape[1]):
        column = keys[rows, band]
        order = np.argsort(column, kind="stable")
        column = column[order]
        edges = np.flatnonzero(np.concatenate([[True], column[1:] != column[:-1], [True]])) if len(column) else np.zeros(1, np.int64)
        counts = np.diff(edges)
        several = counts > 1
        inside = np.repeat(several, counts)
        positions.append(rows[order[inside]])
        numbers.append((np.repeat(np.cumsum(several) - 1, counts)[inside] + number).astype(np.int32))
        sizes.append(counts[several])
        number += int(several.sum())
    return Buckets(np.concatenate(positions), np.concatenate(numbers), np.concatenate(sizes))


def _by_document(ranks: Numbers, buckets: Numbers) -> Iterator[tuple[int, list[int]]]:
    """Yield each rank in rising order with its buckets."""
    order = np.argsort(ranks, kind="stable")
    ranks, buckets = ranks[order], buckets[order]
    edges = np.flatnonzero(np.concatenate([[True], ranks[1:] != ranks[:-1], [True]])) if len(ranks) else np.zeros(1, np.int64)
    for start, end in pairwise(edges):
        yield int(ranks[start]), buckets[start:end].tolist()
