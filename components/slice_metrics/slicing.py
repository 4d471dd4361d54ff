"""Readers of the tables of document likelihoods, and the division of the held-out documents into slices (EVAL-5)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from robo_poet.errors import BadInput
from robo_poet.evaluation.likelihood import SLICES, DocumentLikelihood, read_likelihoods
from robo_poet.judges.gate import slice_key

SHARED_COLUMNS = ("bytes", "group", *SLICES)  # columns that do not depend on the model
RUN_AGAIN = "run the evaluation again"


def read_table(path: Path) -> Sequence[DocumentLikelihood]:
    """Read a table of document likelihoods, ordered by id.

    Raises:
        BadInput: the file is not such a table, two rows have the same id, or a document has no bytes or no tokens (rates are undefined).
    """
    rows = sorted(read_likelihoods(path), key=lambda row: row.id)
    for previous, row in zip([None, *rows], rows, strict=False):
        if previous and previous.id == row.id:
            raise BadInput(f"two rows have the document id {row.id!r}", where=str(path), remedy=RUN_AGAIN)
        for column in ("bytes", "tokens"):
            if getattr(row, column) < 1:
                raise BadInput(f"document {row.id!r} has {getattr(row, column)} {column}", where=str(path), remedy=RUN_AGAIN)
    return rows


def read_tables(candidate: Path, champion: Path) -> tuple[Sequence[DocumentLikelihood], Sequence[DocumentLikelihood] | None]:
    """Read the tables of both models, with the same documents in the same order.

    Returns:
        The rows of the new model and of the champion. The latter is None if its table has no rows, which means no champion.

    Raises:
        BadInput: the new model's table has no rows, or the champion was measured on other documents.
    """
    ours, theirs = read_table(candidate), read_table(champion)
    if not ours:
        raise BadInput(
            "no document was measured", where=str(candidate), remedy="give a corpus with a test split, and evaluate the model on it"
        )
    if not theirs:
        return ours, None
    ours_by_id, theirs_by_id = ({row.id: row for row in rows} for rows in (ours, theirs))
    if different := sorted(ours_by_id.keys() ^ theirs_by_id.keys()):
        first = different[0]
        raise _different_documents(
            champion, f"{first!r} is missing" if first in ours_by_id else f"the new model was not measured on {first!r}"
        )
    for row in ours:
        if column := _differing_column(row, theirs_by_id):
            raise _different_documents(champion, f"{row.id!r} has a different value in column {column}")
    return ours, theirs


def _differing_column(row: DocumentLikelihood, others_by_id: Mapping[str, DocumentLikelihood]) -> str:
    return next((column for column in SHARED_COLUMNS if getattr(row, column) != getattr(others_by_id[row.id], column)), "")


def _different_documents(champion: Path, reason: str) -> BadInput:
    return BadInput(
        f"the champion was measured on other documents: {reason}",
        where=str(champion),
        remedy=f"{RUN_AGAIN}, with both models on the same corpus",
    )


@dataclass(frozen=True)
class Slice:
    """A slice: the documents that have the given values in some columns. A slice without columns contains all documents.

    Args:
        values: column → value.
        rows: (documents,), int64: indices of the documents in the table, ascending.
    """

    values: dict[str, str]
    rows: npt.NDArray[np.int64]

    @property
    def key(self) -> str:
        return slice_key(self.values)


@dataclass(frozen=True)
class LeftOut:
    """The slices of one dimension that are left out because of the limit: columns of the dimension, number of slices and of documents."""

    columns: tuple[str, ...]
    slices: int
    documents: int


def slices(documents: Sequence[DocumentLikelihood], dimensions: Iterable[Sequence[str]], most: int) -> tuple[list[Slice], list[LeftOut]]:
    """Return the slice of all documents, then the slices of each dimension, and the slices that are left out.

    The slices of a dimension partition the documents, except those left out. They are ordered by descending number of documents,
    then by key. An empty value forms a slice, too, so undated documents are compared with dated ones. But if a column has only empty
    values, the dimensions with this column have no slices.

    Args:
        dimensions: columns of each dimension.
        most: maximum number of slices per dimension; the others are left out.
    """
    result, left_out = [Slice({}, np.arange(len(documents)))], []
    for columns in dimensions:
        if any(not any(getattr(document, column) for document in documents) for column in columns):
            continue
        members: dict[tuple[str, ...], list[int]] = {}
        for row, document in enumerate(documents):
            members.setdefault(tuple(getattr(document, column) for column in columns), []).append(row)
        dimension_slices = [Slice(dict(zip(columns, values, strict=True)), np.asarray(rows)) for values, rows in members.items()]
        dimension_slices.sort(key=lambda slice_: (-len(slice_.rows), slice_.key))
        result += dimension_slices[:most]
        if rest := dimension_slices[most:]:
            left_out.append(LeftOut(tuple(columns), len(rest), sum(len(slice_.rows) for slice_ in rest)))
    return result, left_out
