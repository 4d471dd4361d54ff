"""What intervals take as independent: the works, or where there are too few of them their documents.

Documents of one work are alike, so intervals over documents speak of these works alone: another work may differ by more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

Numbers = npt.NDArray[np.float64]
MINIMUM_WORKS = 10  # below, documents are the units


@dataclass(frozen=True)
class Units:
    """The units of some rows.

    Args:
        name: what they are.
        of: (rows,): the number of each row's unit, from 0.
    """

    name: Literal["work", "document"]
    of: npt.NDArray[np.int64]

    def sums(self, *values: ArrayLike) -> tuple[Numbers, ...]:
        """Sums of (rows,) values over the rows of each unit: one (units,) array a sequence of `values`."""
        count = int(self.of.max(initial=-1)) + 1
        return tuple(np.bincount(self.of, np.asarray(each, np.float64), count).astype(np.float64) for each in values)


def units(works: Sequence[str], documents: Sequence[str] | None = None, *, fewest: int = MINIMUM_WORKS) -> Units:
    """The works, or where there are fewer than `fewest` the documents.

    Args:
        works: of each row.
        documents: of each row, where several rows may be of one document, as completions are; else each row is a document.
    """
    place = _numbered(works)
    if int(place.max(initial=-1)) + 1 >= fewest:
        return Units("work", place)
    return Units("document", np.arange(len(works)) if documents is None else _numbered(documents))


def _numbered(names: Sequence[str]) -> npt.NDArray[np.int64]:
    return np.unique(np.asarray(names, dtype=str), return_inverse=True)[1].ravel().astype(np.int64)
