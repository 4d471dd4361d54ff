"""What intervals take as independent: the works, or where there are too few of them their documents.

Documents of one work are alike, so intervals over documents speak of these works alone: another work may differ by more.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from robo_poet.judges.comparison import MINIMUM_WORKS

Numbers = npt.NDArray[np.float64]


def unit_of(works: Sequence[str]) -> npt.NDArray[np.int64]:
    """The number of the unit of each document, from 0: its work, or itself where there are fewer than MINIMUM_WORKS works."""
    names, place = np.unique(np.asarray(works, dtype=str), return_inverse=True)
    return place.ravel().astype(np.int64) if len(names) >= MINIMUM_WORKS else np.arange(len(works))


def by_unit(unit: npt.NDArray[np.int64], *values: Sequence[float]) -> tuple[Numbers, ...]:
    """Sums over the documents of each unit, one array `[units]` a sequence of `values`."""
    units = int(unit.max()) + 1 if unit.size else 0
    return tuple(np.bincount(unit, np.asarray(of, np.float64), units).astype(np.float64) for of in values)


def unit_name(works: Sequence[str]) -> str:
    """`work` or `document`."""
    return "work" if len(set(works)) >= MINIMUM_WORKS else "document"
