"""The independent units of an interval: the works, or the documents if there are too few works.

Documents of one work depend on each other. So an interval over documents applies only to these works: another work may differ by more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

Numbers = npt.NDArray[np.float64]
MINIMUM_WORKS = 10  # with fewer, documents are the units


@dataclass(frozen=True)
class Units:
    """The unit of each row.

    Args:
        name: the kind of unit.
        of: (rows,), int64: the number of each row's unit, from 0.
    """

    name: Literal["work", "document"]
    of: npt.NDArray[np.int64]

    def sums(self, *values: ArrayLike) -> tuple[Numbers, ...]:
        """Return the sums of (rows,) values over the rows of each unit: one (units,) array per argument."""
        count = int(self.of.max(initial=-1)) + 1
        return tuple(np.bincount(self.of, np.asarray(column, np.float64), count).astype(np.float64) for column in values)


def units(works: Sequence[str], documents: Sequence[str] | None = None, *, fewest: int = MINIMUM_WORKS) -> Units:
    """Return the works as units, or the documents if there are fewer than `fewest` works.

    Args:
        works: the work of each row.
        documents: the document of each row, if several rows share one document, as completions do. By default each row is a document.
    """
    work_numbers = _numbered(works)
    if int(work_numbers.max(initial=-1)) + 1 >= fewest:
        return Units("work", work_numbers)
    return Units("document", np.arange(len(works)) if documents is None else _numbered(documents))


def _numbered(names: Sequence[str]) -> npt.NDArray[np.int64]:
    return np.unique(np.asarray(names, dtype=str), return_inverse=True)[1].ravel().astype(np.int64)
