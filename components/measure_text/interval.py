"""How sure a measurement is that is no quotient of two sums: resampling of the units that it rests on (Efron & Tibshirani 1993).

A statistic is a function of weights: how often each row counts. Rows of one unit are drawn and left out together.
"""

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from robo_poet.judges.bootstrap import MINIMUM_UNITS
from robo_poet.judges.estimate import Estimate

Numbers = npt.NDArray[np.float64]
Statistic = Callable[[Numbers], Numbers]  # weights (resamples, rows) → values (resamples,), NaN where there is none


def value(statistic: Statistic, rows: int) -> float:
    """The statistic of all rows, each once."""
    return float(statistic(np.ones((1, rows)))[0])


def percentile(statistic: Statistic, units: npt.NDArray[np.int64], *, resamples: int, confidence: float, seed: int) -> Estimate:
    """The percentile bootstrap. The same seed draws the same units, whatever is measured.

    Args:
        units: the unit of each row, 0, 1, …

    Returns:
        the interval of those resamples that have a value; infinite below MINIMUM_UNITS.
    """
    measured, count = value(statistic, len(units)), int(units.max(initial=-1)) + 1
    if count < MINIMUM_UNITS or not np.isfinite(measured):
        return Estimate(measured, -np.inf, np.inf, count)
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)
    values = statistic(drawn[:, units].astype(np.float64))
    low, high = np.nanquantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(measured, float(low), float(high), count)


def jackknife(statistic: Statistic, units: npt.NDArray[np.int64], *, confidence: float) -> Estimate:
    """The interval of a normal distribution with the jackknife's standard error: each unit is left out once.

    For what counts different things (n-grams): a bootstrap's resample holds rows twice, and so fewer of them than the sample.

    Returns:
        as `percentile`; infinite too where a single unit is all that it rests on: without it there is no value.
    """
    measured, count = value(statistic, len(units)), int(units.max(initial=-1)) + 1
    if count < MINIMUM_UNITS or not np.isfinite(measured):
        return Estimate(measured, -np.inf, np.inf, count)
    values = np.concatenate([statistic((units != unit).astype(np.float64)[np.newaxis]) for unit in range(count)])
    if not np.isfinite(values).all():
        return Estimate(measured, -np.inf, np.inf, count)
    error = float(np.sqrt((count - 1) * values.var()))
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * error
    return Estimate(measured, measured - reach, measured + reach, count)
