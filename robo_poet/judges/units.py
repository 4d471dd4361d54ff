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
    """The units of some documents.

    Args:
        name: what they are.
        of: (documents,): the number of each document's unit, from 0.
    """

    name: Literal["work", "document"]
    of: npt.NDArray[np.int64]

    def sums(self, *values: ArrayLike) -> tuple[Numbers, ...]:
        """Sums of (documents,) values over the documents of each unit: one (units,) array a sequence of `values`."""
        count = int(self.of.max(initial=-1)) + 1
        return tuple(np.bincount(self.of, np.asarray(each, np.float64), count).astype(np.float64) for each in values)


def units(works: Sequence[str], fewest: int = MINIMUM_WORKS) -> Units:
    """The works of the documents, or the documents themselves where there are fewer than `fewest` works."""
    names, place = np.unique(np.asarray(works, dtype=str), return_inverse=True)
    if len(names) >= fewest:
        return Units("work", place.ravel().astype(np.int64))
    return Units("document", np.arange(len(works)))
