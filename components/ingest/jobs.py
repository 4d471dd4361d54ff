"""The jobs of the step: functions of the documents of a shard whose values do not depend on how the corpus is divided (contract 12)."""

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from robo_poet.corpus.curation.examination import Examined, examine
from robo_poet.corpus.curation.near_duplicates import KeyCollector, bands_of, shared_buckets
from robo_poet.corpus.curation.shingles import Hashes, shingles
from robo_poet.corpus.document import Document
from robo_poet.distributed.shards import FileShard
from robo_poet.settings.data import QualitySettings


@dataclass(frozen=True)
class ChosenShard:
    """Some documents of a shard.

    Args:
        chosen: one bit per document of the shard; a row group of 256 documents has 32 bytes.
    """

    shard: FileShard
    chosen: bytes

    @classmethod
    def of(cls, shard: FileShard, flags: Iterable[int]) -> "ChosenShard":
        """Return the documents of a shard whose flag is 1."""
        return cls(shard, np.packbits(np.fromiter(flags, np.uint8)).tobytes())

    def documents(self) -> Iterator[Document]:
        """Yield the chosen documents in the order of the file."""
        flags = np.unpackbits(np.frombuffer(self.chosen, np.uint8))
        if flags.any():
            yield from (document for document, flag in zip(self.shard.documents(), flags, strict=False) if flag)


@dataclass(frozen=True)
class Examine:
    """Yields what is measured in each document: `[sha256, size, failure]`, or None for a document without text.

    Args:
        bounds: `QualitySettings` as JSON.
    """

    bounds: str

    def __call__(self, documents: Iterable[Document]) -> Iterator[Any]:
        bounds = QualitySettings.model_validate_json(self.bounds)
        for document in documents:
            if document.text.strip():
                examined = examine(document.with_text(document.text), bounds)
                yield [examined.sha256, examined.size, examined.failure]
            else:
                yield None


def examined_of(value: Any) -> Examined | None:
    """Return what a value of `Examine` says."""
    if value is None:
        return None
    sha256, size, failure = value
    return Examined(sha256, size, tuple(failure) if failure else None)


PIECE_DOCUMENTS = 4_000_000  # documents whose keys of one band a worker has in memory, as 8 bytes each, when it groups them
Group = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]


@dataclass(frozen=True)
class GroupByKeys:
    """Groups the documents of all shards by their band keys.

    A key of the job is a band and a piece of its band keys. Its value of a shard has the band keys and the numbers of the documents in the
    shard. The group yields the band keys that several documents share, as `group_of` reads them.

    Args:
        wanted: the smallest similarity of near-duplicates.
        pieces: number of pieces of the keys of a band.
    """

    wanted: float
    pieces: int

    @classmethod
    def of(cls, wanted: float, documents: int) -> "GroupByKeys":
        """Return the job for a number of documents."""
        return cls(wanted, 1 + documents // PIECE_DOCUMENTS)

    @property
    def keys(self) -> int:
        """Return the number of keys."""
        return bands_of(self.wanted)[0] * self.pieces

    def pairs(self, documents: Iterable[Document]) -> Iterator[tuple[int, bytes]]:
        """Yield the band keys of the shard, by band and piece."""
        collector, numbers = KeyCollector(self.wanted), list[int]()
        for number, document in enumerate(documents):
            if len(hashes := shingles(document.text)):
                collector.add(hashes)
                numbers.append(number)
        keys, rows = collector.keys(), np.array(numbers, np.uint32)
        for band in range(keys.shape[1]):
            column = keys[:, band]
            for piece in range(self.pieces):
                inside = column % self.pieces == piece
                yield band * self.pieces + piece, np.stack([column[inside], rows[inside]]).astype("<u4").tobytes()

    def group(self, key: int, values: Sequence[bytes]) -> Iterator[Any]:
        """Yield `[shards, documents, sizes]` of the shared band keys."""
        tables = [np.frombuffer(value, "<u4").reshape(2, -1) for value in values]
        column, documents = np.concatenate(tables, axis=1)
        shards = np.repeat(np.arange(len(tables)), [table.shape[1] for table in tables])
        shared = shared_buckets(column[:, None], np.ones(len(column), bool))
        yield [shards[shared.positions].tolist(), documents[shared.positions].tolist(), shared.sizes.tolist()]


def group_of(value: Any) -> Group:
    """Return the shards and the documents in them that share band keys, and the number of documents of each key."""
    shards, documents, sizes = (np.array(column, np.int64) for column in value)
    return shards, documents, sizes


@dataclass(frozen=True)
class Shingles:
    """Yields the shingles of each document, as base64."""

    def __call__(self, documents: Iterable[Document]) -> Iterator[Any]:
        for document in documents:
            yield base64.b64encode(shingles(document.text).astype("<u8").tobytes()).decode()


def shingles_of(value: str) -> Hashes:
    """Return the shingles of a value of `Shingles`."""
    return np.frombuffer(base64.b64decode(value), "<u8")
