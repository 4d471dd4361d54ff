"""The slices of the held-out documents, and the tables of document scores that they are made from (EVAL-5)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from robo_poet.errors import BadInput
from robo_poet.evaluation.documents import SLICES, Measured, read_measured
from robo_poet.evaluation.slice_key import slice_key

SAME = ("bytes", "group", *SLICES)  # what a document is, whoever reads it
AGAIN = "run the evaluation again"


def read_table(path: Path) -> Sequence[Measured]:
    """A table of measured documents, ordered by id.

    Raises:
        BadInput: no such table; an id is there twice; a document has no bytes or no tokens, so that nothing is a rate of it.
    """
    rows = sorted(read_measured(path), key=lambda one: one.id)
    for before, one in zip([None, *rows], rows, strict=False):
        if before and before.id == one.id:
            raise BadInput(f"document {one.id!r} is there twice", where=str(path), remedy=AGAIN)
        for column in ("bytes", "tokens"):
            if getattr(one, column) < 1:
                raise BadInput(f"document {one.id!r} has {getattr(one, column)} {column}", where=str(path), remedy=AGAIN)
    return rows


def read_tables(candidate: Path, champion: Path) -> tuple[Sequence[Measured], Sequence[Measured] | None]:
    """Both tables, row by row of the same document; None where there is no champion, whose table has no rows then.

    Raises:
        BadInput: no row at all; the champion was measured on other documents.
    """
    ours, theirs = read_table(candidate), read_table(champion)
    if not ours:
        raise BadInput(
            "no document was measured", where=str(candidate), remedy="give a corpus with a test split, and evaluate the model on it"
        )
    if not theirs:
        return ours, None
    mine, other = ({one.id: one for one in rows} for rows in (ours, theirs))
    if different := sorted(mine.keys() ^ other.keys()):
        first = different[0]
        raise _others(champion, f"{first!r} is {'missing' if first in mine else 'none of the model’s'}")
    for one in ours:
        if column := _difference(one, other):
            raise _others(champion, f"{one.id!r} has another {column}")
    return ours, theirs


def _difference(one: Measured, other: Mapping[str, Measured]) -> str:
    return next((column for column in SAME if getattr(one, column) != getattr(other[one.id], column)), "")


def _others(champion: Path, what: str) -> BadInput:
    return BadInput(f"the champion was measured on other documents: {what}", where=str(champion), remedy=f"{AGAIN}, both on one corpus")


@dataclass(frozen=True)
class Slice:
    """Documents of one value of each of some columns; of no column: all documents.

    Args:
        values: column → value.
        rows: (documents,) their places in the table, rising.
    """

    values: dict[str, str]
    rows: npt.NDArray[np.int64]

    @property
    def key(self) -> str:
        return slice_key(self.values)


@dataclass(frozen=True)
class LeftOut:
    """Values of columns that were too many."""

    columns: tuple[str, ...]
    slices: int
    documents: int


def slices(documents: Sequence[Measured], dimensions: Iterable[Sequence[str]], most: int) -> tuple[list[Slice], list[LeftOut]]:
    """All documents first, then each of `dimensions` (its columns): the slices of the most documents first, ties by key.

    Slices of a dimension partition the documents, but for what is left out. An empty value is a value (undated documents are
    compared with dated ones), unless a column has no other: its dimensions have no slices then.

    Args:
        most: slices that a dimension has; the others are left out.
    """
    found, left_out = [Slice({}, np.arange(len(documents)))], []
    for columns in dimensions:
        if any(not any(getattr(one, column) for one in documents) for column in columns):
            continue
        members: dict[tuple[str, ...], list[int]] = {}
        for row, one in enumerate(documents):
            members.setdefault(tuple(getattr(one, column) for column in columns), []).append(row)
        cut = [Slice(dict(zip(columns, values, strict=True)), np.asarray(rows)) for values, rows in members.items()]
        cut.sort(key=lambda one: (-len(one.rows), one.key))
        found += cut[:most]
        if rest := cut[most:]:
            left_out.append(LeftOut(tuple(columns), len(rest), sum(len(one.rows) for one in rest)))
    return found, left_out
