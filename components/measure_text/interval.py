"""Jackknife intervals of statistics that are not a ratio of two sums, such as distinct-n or BLEU.

A statistic is a function of row weights: how often each row counts. Rows of one unit are left out together.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from robo_poet.judges.bootstrap import CONFIDENCE, MINIMUM_UNITS
from robo_poet.judges.estimate import Estimate
from robo_poet.judges.student_t import quantile

Numbers = npt.NDArray[np.float64]
Statistic = Callable[[Numbers], Numbers]  # weights (resamples, rows) → values (resamples,), NaN if undefined


def value(statistic: Statistic, rows: int) -> float:
    """Return the statistic of all rows with weight 1."""
    return float(statistic(np.ones((1, rows)))[0])


def jackknife(statistic: Statistic, units: npt.NDArray[np.int64], *, confidence: float = CONFIDENCE) -> Estimate:
    """Return the value ± Student's t times the jackknife standard error (Tukey 1958; Efron & Tibshirani 1993, section 11).

    Each unit is left out once. A bootstrap would be biased for counts of distinct items: a resample holds some rows twice, so it has
    fewer distinct rows than the sample.

    Args:
        units: (rows,) unit of each row, from 0.

    Returns:
        The estimate. Its interval is infinite with fewer than MINIMUM_UNITS units, and if the statistic is undefined without some unit.
    """
    measured, count = value(statistic, len(units)), int(units.max(initial=-1)) + 1
    if count < MINIMUM_UNITS or not np.isfinite(measured):
        return Estimate(measured, -np.inf, np.inf, count)
    values = np.concatenate([statistic((units != unit).astype(np.float64)[np.newaxis]) for unit in range(count)])
    if not np.isfinite(values).all():
        return Estimate(measured, -np.inf, np.inf, count)
    margin = quantile((1 + confidence) / 2, count - 1) * float(np.sqrt((count - 1) * values.var()))
    return Estimate(measured, measured - margin, measured + margin, count)
