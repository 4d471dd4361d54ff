"""Shuffled pairs: what a prompt and a text have in common that do not belong together."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def strangers(groups: Sequence[str], count: int, seed: int) -> npt.NDArray[np.int64]:
    """For each row `count` seeded rows of other groups, or, where all are of one group, other rows.

    Returns:
        (rows, count); (1, 0) for a single row, which has no stranger.
    """
    names, rows = np.unique(np.asarray(groups, str), return_inverse=True)[1], np.arange(len(groups))
    if len(rows) < 2:
        return np.empty((len(rows), 0), np.int64)
    kinds = names if names.max() else rows
    random = np.random.default_rng(seed)
    return np.stack([random.choice(rows[kinds != kind], size=count) for kind in kinds])
