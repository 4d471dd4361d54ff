"""The two tables that a comparison is made of: the same documents under the model and under the champion."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from robo_poet.errors import BadInput
from robo_poet.evaluation.documents import SLICES, Measured, read_measured

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
