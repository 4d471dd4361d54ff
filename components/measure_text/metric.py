"""The metric class of the text step: a statistic of rows and the method of its confidence interval.

A statistic is a function of row weights: how often each row counts. Ratios of sums use the judges' intervals (docs/explanation/judges.md).
Other smooth statistics, such as distinct-n or BLEU, use the jackknife. Rows of one unit are left out together.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from robo_poet.judges.distributions import quantile
from robo_poet.judges.estimate import MINIMUM_UNITS, Estimate
from robo_poet.judges.intervals import CONFIDENCE, clustered_rate, interval_within, ratio_estimate
from robo_poet.judges.units import Units

Numbers = npt.NDArray[np.float64]
Statistic = Callable[[Numbers], Numbers]  # weights (resamples, rows) → values (resamples,), NaN if undefined


def value(statistic: Statistic, rows: int) -> float:
    """Return the statistic of all rows with weight 1."""
    return float(statistic(np.ones((1, rows)))[0])


def jackknife(
    statistic: Statistic, units: npt.NDArray[np.int64], *, confidence: float = CONFIDENCE, least: float = -np.inf, most: float = np.inf
) -> Estimate:  # fmt: skip
    """Return the value ± Student's t times the jackknife standard error (Tukey 1958; Efron & Tibshirani 1993, section 11).

    Each unit is left out once. A bootstrap would be biased for counts of distinct items: a resample contains some rows twice, so it has
    fewer distinct rows than the sample.

    Args:
        units: (rows,) unit of each row, from 0.
        least, most: the possible range of the value, which the interval does not leave.

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
    return Estimate(measured, *interval_within(measured, margin, least, most), count)


def difference_of_shares(first: Estimate, second: Estimate) -> Estimate:
    """Return the difference of two shares with the interval made of theirs (Newcombe 1998, method 10, with exact intervals).

    It holds for independent shares, and is wider than needed for shares of the same prompts, which grow together.
    """
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    difference = first.value - second.value
    if not math.isfinite(below + above):  # a share of one unit has no interval
        return Estimate(difference, -np.inf, np.inf, min(first.units, second.units), first.unit)
    return Estimate(difference, max(-1.0, difference - below), min(1.0, difference + above), min(first.units, second.units), first.unit)


@dataclass(frozen=True)
class RowMetric:
    """A metric over rows, with the method of its confidence interval.

    Args:
        statistic: function of the row weights.
        interval: method of the interval. Ratios of sums use the judges' methods (docs/explanation/judges.md):
            `share`: exact, for the effective number of independent rows; `ratio`: studentised bootstrap;
            `jackknife`: other smooth functions; `none`: median and maximum.
        parts: (rows,) numerators and denominators of a ratio or share.
        rows: value of each row, NaN if a row has none; used to find the worst row. Empty if single rows have no value.
        shares: the two shares of a difference of shares.
    """

    statistic: Statistic
    interval: Literal["ratio", "share", "jackknife", "none"] = "jackknife"
    parts: tuple[Numbers, Numbers] | None = None
    rows: tuple[float, ...] = ()
    shares: "tuple[RowMetric, RowMetric] | None" = None

    def estimate(self, units: Units, *, resamples: int, seed: int, least: float = -np.inf, most: float = np.inf) -> Estimate:
        """Return the value with its interval, inside the possible range; the interval is infinite for the method `none`."""
        if self.shares:
            first, second = (share.estimate(units, resamples=resamples, seed=seed) for share in self.shares)
            return difference_of_shares(first, second)
        if self.parts:
            numerators, denominators = units.sums(*self.parts)
            if self.interval == "share":
                return clustered_rate(numerators, denominators)
            return ratio_estimate(numerators, denominators, resamples=resamples, seed=seed, least=least, most=most)
        if self.interval == "jackknife":
            return jackknife(self.statistic, units.of, least=least, most=most)
        return Estimate(value(self.statistic, len(units.of)), -np.inf, np.inf, int(units.of.max(initial=-1)) + 1)

    def minus(self, other: "RowMetric") -> "RowMetric":
        """Return the difference from another metric of the same rows. The jackknife leaves each unit out of both.

        The interval of a difference of two shares is made of their exact intervals: the jackknife of 0 % − 0 % would be one point.
        """
        shares = (self, other) if self.interval == other.interval == "share" else None
        return RowMetric(lambda weights: self.statistic(weights) - other.statistic(weights), shares=shares)

    def divided_by(self, other: "RowMetric") -> "RowMetric":
        """Return the quotient of two metrics of the same rows. The jackknife leaves each unit out of both."""
        return RowMetric(lambda weights: divide(self.statistic(weights), other.statistic(weights)))


def ratio(above: Sequence[float], below: Sequence[float], interval: Literal["ratio", "share"] = "ratio") -> RowMetric:
    """Return the sum of the numerators divided by the sum of the denominators; NaN if the latter is 0.

    Args:
        interval: `share` if the numerator counts a subset of what the denominator counts.
    """
    numerators, denominators = np.asarray(above, np.float64), np.asarray(below, np.float64)

    def statistic(weights: Numbers) -> Numbers:
        return divide(weights @ numerators, weights @ denominators)

    return RowMetric(statistic, interval, (numerators, denominators), tuple(divide(numerators, denominators).tolist()))


def mean(values: Sequence[float]) -> RowMetric:
    """Return the mean of the finite rows."""
    numbers = np.asarray(values, np.float64)
    is_finite = np.isfinite(numbers)
    return ratio(np.where(is_finite, numbers, 0.0).tolist(), is_finite.astype(np.float64).tolist())


def share(flags: Sequence[bool]) -> RowMetric:
    """Return the share of rows whose flag is true."""
    return ratio([float(flag) for flag in flags], [1.0] * len(flags), "share")


def median(values: Sequence[float]) -> RowMetric:
    """Return the lower median: the smallest value that at least half of the rows do not exceed.

    It has no interval, because the jackknife of a median is not consistent.
    """
    numbers = np.asarray(values, np.float64)
    order = np.argsort(numbers, kind="stable")

    def statistic(weights: Numbers) -> Numbers:
        cumulative = np.cumsum(weights[:, order], axis=1)
        index = (2 * cumulative < cumulative[:, -1:]).sum(axis=1) if len(order) else np.zeros(len(weights), np.int64)
        medians: Numbers = numbers[order][np.minimum(index, len(order) - 1)] if len(order) else np.full(len(weights), np.nan)
        return medians

    return RowMetric(statistic, "none", rows=tuple(numbers.tolist()))


def largest(values: Sequence[float]) -> RowMetric:
    """Return the maximum. It has no interval, because the bootstrap of a maximum is not consistent (Bickel & Freedman 1981)."""
    numbers = np.asarray(values, np.float64)

    def statistic(weights: Numbers) -> Numbers:
        maxima: Numbers = np.where(weights > 0, numbers, -np.inf).max(axis=1, initial=-np.inf)
        return maxima

    return RowMetric(statistic, "none", rows=tuple(numbers.tolist()))


def divide(above: Numbers, below: Numbers) -> Numbers:
    """Return elementwise quotients, NaN where the divisor is 0."""
    quotients: Numbers = np.divide(above, below, out=np.full(np.shape(above), np.nan), where=np.asarray(below) != 0)
    return quotients


def expand_to_rows(measure: RowMetric, chosen: Sequence[int], count: int) -> RowMetric:
    """Convert a metric of the rows `chosen` to a metric of `count` rows. The other rows have no effect."""
    row_numbers = np.asarray(chosen, np.int64)

    def spread(values: Sequence[float] | Numbers, fill: float) -> Numbers:
        rows = np.full(count, fill)
        rows[row_numbers] = values
        return rows

    parts = (spread(measure.parts[0], 0.0), spread(measure.parts[1], 0.0)) if measure.parts else None
    rows = tuple(spread(measure.rows, np.nan).tolist()) if measure.rows else ()
    return RowMetric(lambda weights: measure.statistic(weights[:, row_numbers]), measure.interval, parts, rows)
