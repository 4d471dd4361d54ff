"""Which documents are a slice. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from robo_poet.evaluation.documents import Measured
from robo_poet.evaluation.slice_key import slice_key


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
