"""How sure a measurement is that is no quotient of two sums, such as a count of different words, or BLEU.

A statistic is a function of weights: how often each row counts. Rows of one unit are left out together.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from robo_poet.judges.bootstrap import CONFIDENCE, MINIMUM_UNITS
from robo_poet.judges.estimate import Estimate
from robo_poet.judges.student_t import quantile

Numbers = npt.NDArray[np.float64]
Statistic = Callable[[Numbers], Numbers]  # weights (resamples, rows) → values (resamples,), NaN where there is none


def value(statistic: Statistic, rows: int) -> float:
    """The statistic of all rows, each once."""
    return float(statistic(np.ones((1, rows)))[0])


def jackknife(statistic: Statistic, units: npt.NDArray[np.int64], *, confidence: float = CONFIDENCE) -> Estimate:
    """Student's t times the jackknife's standard error, each unit left out once (Tukey 1958; Efron & Tibshirani 1993, section 11).

    A bootstrap would not do for what counts different things: its resample holds rows twice, and so fewer of them than the sample.

    Args:
        units: the unit of each row, 0, 1, …

    Returns:
        The value; an infinite interval below MINIMUM_UNITS, and where a single unit is all that it rests on: without it there is no value.
    """
    measured, count = value(statistic, len(units)), int(units.max(initial=-1)) + 1
    if count < MINIMUM_UNITS or not np.isfinite(measured):
        return Estimate(measured, -np.inf, np.inf, count)
    values = np.concatenate([statistic((units != unit).astype(np.float64)[np.newaxis]) for unit in range(count)])
    if not np.isfinite(values).all():
        return Estimate(measured, -np.inf, np.inf, count)
    reach = quantile((1 + confidence) / 2, count - 1) * float(np.sqrt((count - 1) * values.var()))
    return Estimate(measured, measured - reach, measured + reach, count)
