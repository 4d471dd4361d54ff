"""The independent units of an interval: the works, else the documents, else parts of documents.

Documents of one work depend on each other. So an interval over documents applies only to these works: another work may differ by more. An
interval over parts, which are blocks of text or prompts, applies only to these documents.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from robo_poet.judges.estimate import MINIMUM_UNITS

Numbers = npt.NDArray[np.float64]
MINIMUM_WORKS = 10  # with fewer, documents are the units
Kind = Literal["work", "document", "block", "prompt"]


@dataclass(frozen=True)
class Units:
    """The unit of each row.

    Args:
        name: the kind of unit.
        of: (rows,), int64: the number of each row's unit, from 0.
        works, documents: how many there are.
    """

    name: Kind
    of: npt.NDArray[np.int64]
    works: int = 0
    documents: int = 0

    @property
    def scope(self) -> str:
        """What the intervals apply to, such as " within 2 works"; empty if the units are works."""
        number, name = (self.works, "work") if self.name == "document" else (self.documents, "document")
        return "" if self.name == "work" else f" within {number:,} {name}{'s' * (number != 1)}"

    def sums(self, *values: ArrayLike) -> tuple[Numbers, ...]:
        """Return the sums of (rows,) values over the rows of each unit: one (units,) array per argument."""
        count = int(self.of.max(initial=-1)) + 1
        return tuple(np.bincount(self.of, np.asarray(column, np.float64), count).astype(np.float64) for column in values)


def units(
    works: Sequence[str], documents: Sequence[str] | None = None, *, fewest: int = MINIMUM_WORKS, part: Literal["block", "prompt"] = "block"
) -> Units:  # fmt: skip
    """Return the works as units; the documents if there are fewer than `fewest` works; the rows if there are too few documents.

    There are too few documents if their effective number (Kish 1965), by rows, is below MINIMUM_UNITS: fewer documents, or one document
    that holds nearly all rows, have no useful interval.

    Args:
        works: the work of each row.
        documents: the document of each row, if several rows are parts of one document. By default each row is a document.
        part: what a row is, if it is a part of a document.
    """
    work_numbers = _numbered(works)
    work_count = int(work_numbers.max(initial=-1)) + 1
    rows = np.arange(len(works))
    document_numbers = rows if documents is None else _numbered(documents)
    document_count = int(document_numbers.max(initial=-1)) + 1
    if work_count >= fewest:
        return Units("work", work_numbers, work_count, document_count)
    sizes = np.bincount(document_numbers).astype(np.float64)
    effective = float(sizes.sum() ** 2 / np.square(sizes).sum()) if len(sizes) else 0.0
    if effective >= MINIMUM_UNITS - 1e-9 or document_count == len(rows):
        return Units("document", document_numbers, work_count, document_count)
    return Units(part, rows, work_count, document_count)


def _numbered(names: Sequence[str]) -> npt.NDArray[np.int64]:
    return np.unique(np.asarray(names, dtype=str), return_inverse=True)[1].ravel().astype(np.int64)
