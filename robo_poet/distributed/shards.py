"""Shards: parts of a corpus that workers read separately, and the files of their results.

A shard of a corpus file is a range of its row groups. A row group is read without the others, so the file need not be divided.
"""

import gzip
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from robo_poet.corpus.document import MEGABYTE, Document
from robo_poet.corpus.parquet import read_documents, row_group_sizes
from robo_poet.errors import BadInput


class Shard(Protocol):
    """Documents that one call of a job reads. It can be pickled."""

    def documents(self) -> Iterator[Document]:
        """Yield the documents."""
        ...


@dataclass(frozen=True)
class FileShard:
    """The row groups `first` to `end` - 1 of a corpus file."""

    path: str
    first: int
    end: int

    def documents(self) -> Iterator[Document]:
        """Yield the documents in the order of the file."""
        return read_documents(Path(self.path), groups=range(self.first, self.end))


@dataclass(frozen=True)
class HeldShard:
    """Documents in memory. They travel to the worker as a part of the pipeline, so they must be few."""

    held: tuple[Document, ...]

    def documents(self) -> Iterator[Document]:
        """Yield the documents in their order."""
        return iter(self.held)


def file_shards(corpus: Path, megabytes: float) -> list[FileShard]:
    """Divide a corpus file into shards of about `megabytes` of the file (10**6 bytes), in its order.

    Raises:
        BadInput: it is not a corpus.
    """
    shards, first, size = list[FileShard](), 0, 0
    sizes = row_group_sizes(corpus)
    for number, group_size in enumerate(sizes):
        if number > first and size + group_size > megabytes * MEGABYTE:
            shards.append(FileShard(str(corpus), first, number))
            first, size = number, 0
        size += group_size
    return [*shards, FileShard(str(corpus), first, len(sizes))]


class Job(Protocol):
    """A function of the documents of a shard. It can be pickled, and its values can be written as JSON."""

    def __call__(self, documents: Iterable[Document], /) -> Iterator[Any]:
        """Yield the values. They must not depend on the other shards, nor on the division into shards."""
        ...


class GroupedJob(Protocol):
    """A job in two parts: workers read the shards, and then see together what all shards say about one key. It can be pickled."""

    def pairs(self, documents: Iterable[Document], /) -> Iterator[tuple[int, bytes]]:
        """Yield one value for each key, also if the shard has nothing to say about it."""
        ...

    def group(self, key: int, values: Sequence[bytes], /) -> Iterator[Any]:
        """Yield the values of a key, which can be written as JSON.

        Args:
            values: what each shard yielded for the key, in the order of the shards.
        """
        ...


VALUES, ERROR = "values", "error"


def run_shard(job: Job, shard: Shard, number: int, folder: str) -> None:
    """Run a job on a shard and write its values, one JSON text per line.

    A runner may run a shard again or twice at the same time. Each run writes the same bytes to a file of its own, and renames it.
    An error of the input is written as a value: a runner would hide it in a traceback.
    """
    write_values(lambda: job(shard.documents()), number, folder)


def write_values(values: Callable[[], Iterator[Any]], number: int, folder: str) -> None:
    """Write values, or the error of the input that prevents them; see `run_shard`."""
    final = Path(folder) / f"{number:06d}.{VALUES}"
    temporary = final.with_name(f".{final.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        try:
            with temporary.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1, mtime=0, filename="") as file:
                for value in values():
                    file.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        except BadInput as error:
            temporary.write_text(json.dumps([error.what, error.where, error.remedy]), encoding="utf-8")
            final = final.with_suffix(f".{ERROR}")
        temporary.replace(final)
    finally:
        temporary.unlink(missing_ok=True)


def has_result(number: int, folder: Path) -> bool:
    """Return True if a shard was run."""
    return any((folder / f"{number:06d}.{kind}").exists() for kind in (VALUES, ERROR))


def read_values(number: int, folder: Path) -> Iterator[Any]:
    """Yield the values of a shard.

    Raises:
        BadInput: the job refused the input.
    """
    error = folder / f"{number:06d}.{ERROR}"
    if error.exists():
        what, where, remedy = json.loads(error.read_text("utf-8"))
        raise BadInput(what, where=where, remedy=remedy)
    with gzip.open(folder / f"{number:06d}.{VALUES}", "rb") as file:
        for line in file:
            yield json.loads(line)


def finished(folder: Path) -> int:
    """Return the number of shards whose values are written."""
    return sum(not path.name.startswith(".") for path in folder.iterdir())
