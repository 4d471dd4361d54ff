"""Shuffled pairs: unrelated prompts, which give the baseline similarity of a text."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def strangers(groups: Sequence[str], count: int, seed: int) -> npt.NDArray[np.int64]:
    """Draw `count` rows of other groups for each row, with replacement. If all rows have one group, draw other rows.

    Returns:
        (rows, count) row numbers; (1, 0) for a single row, which has no other row.
    """
    group_ids, rows = np.unique(np.asarray(groups, str), return_inverse=True)[1], np.arange(len(groups))
    if len(rows) < 2:
        return np.empty((len(rows), 0), np.int64)
    labels = group_ids if group_ids.max() else rows
    generator = np.random.default_rng(seed)
    return np.stack([generator.choice(rows[labels != label], size=count) for label in labels])
