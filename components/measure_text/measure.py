"""The metric class: a statistic of rows and the method of its confidence interval, with constructors of the usual kinds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from components.measure_text.interval import Numbers, Statistic, jackknife, value
from robo_poet.judges.bootstrap import ratio_estimate
from robo_poet.judges.estimate import Estimate
from robo_poet.judges.rates import clustered_rate
from robo_poet.judges.units import Units


@dataclass(frozen=True)
class Measure:
    """A metric over rows, with the method of its confidence interval.

    Args:
        statistic: function of the row weights.
        interval: method of the interval. Ratios of sums use the judges' methods (docs/judges.md):
            `share`: exact, for the effective number of independent rows; `ratio`: studentised bootstrap;
            `jackknife`: other smooth functions; `none`: median and maximum.
        parts: (rows,) numerators and denominators of a ratio or share.
        rows: value of each row, NaN if a row has none; used to find the worst row. Empty if single rows have no value.
    """

    statistic: Statistic
    interval: Literal["ratio", "share", "jackknife", "none"] = "jackknife"
    parts: tuple[Numbers, Numbers] | None = None
    rows: tuple[float, ...] = ()

    def estimate(self, units: Units, *, resamples: int, seed: int) -> Estimate:
        """Return the value with its interval; the interval is infinite for the method `none`."""
        if self.parts:
            numerators, denominators = units.sums(*self.parts)
            if self.interval == "share":
                return clustered_rate(numerators, denominators)
            return ratio_estimate(numerators, denominators, resamples=resamples, seed=seed)
        if self.interval == "jackknife":
            return jackknife(self.statistic, units.of)
        return Estimate(value(self.statistic, len(units.of)), -np.inf, np.inf, int(units.of.max(initial=-1)) + 1)

    def less(self, other: "Measure") -> "Measure":
        """Return the difference from another metric of the same rows. The jackknife leaves each unit out of both."""
        return Measure(lambda weights: self.statistic(weights) - other.statistic(weights))

    def over(self, other: "Measure") -> "Measure":
        """Return the quotient of two metrics of the same rows. The jackknife leaves each unit out of both."""
        return Measure(lambda weights: divided(self.statistic(weights), other.statistic(weights)))


def ratio(above: Sequence[float], below: Sequence[float], interval: Literal["ratio", "share"] = "ratio") -> Measure:
    """Return sum over sum, NaN if the denominator is 0.

    Args:
        interval: `share` if the numerator counts a subset of what the denominator counts.
    """
    numerators, denominators = np.asarray(above, np.float64), np.asarray(below, np.float64)

    def statistic(weights: Numbers) -> Numbers:
        return divided(weights @ numerators, weights @ denominators)

    return Measure(statistic, interval, (numerators, denominators), tuple(divided(numerators, denominators).tolist()))


def mean(values: Sequence[float]) -> Measure:
    """Return the mean of the finite rows."""
    numbers = np.asarray(values, np.float64)
    is_finite = np.isfinite(numbers)
    return ratio(np.where(is_finite, numbers, 0.0).tolist(), is_finite.astype(np.float64).tolist())


def share(flags: Sequence[bool]) -> Measure:
    """Return the share of rows whose flag is true."""
    return ratio([float(flag) for flag in flags], [1.0] * len(flags), "share")


def median(values: Sequence[float]) -> Measure:
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

    return Measure(statistic, "none", rows=tuple(numbers.tolist()))


def largest(values: Sequence[float]) -> Measure:
    """Return the maximum. It has no interval, because the bootstrap of a maximum is not consistent (Bickel & Freedman 1981)."""
    numbers = np.asarray(values, np.float64)

    def statistic(weights: Numbers) -> Numbers:
        maxima: Numbers = np.where(weights > 0, numbers, -np.inf).max(axis=1, initial=-np.inf)
        return maxima

    return Measure(statistic, "none", rows=tuple(numbers.tolist()))


def divided(above: Numbers, below: Numbers) -> Numbers:
    """Return elementwise quotients, NaN where the divisor is 0."""
    quotients: Numbers = np.divide(above, below, out=np.full(np.shape(above), np.nan), where=np.asarray(below) != 0)
    return quotients


def on_rows(measure: Measure, chosen: Sequence[int], count: int) -> Measure:
    """Return a metric of the rows `chosen` as a metric of `count` rows. The other rows have no effect."""
    row_numbers = np.asarray(chosen, np.int64)

    def spread(values: Sequence[float] | Numbers, fill: float) -> Numbers:
        rows = np.full(count, fill)
        rows[row_numbers] = values
        return rows

    parts = (spread(measure.parts[0], 0.0), spread(measure.parts[1], 0.0)) if measure.parts else None
    rows = tuple(spread(measure.rows, np.nan).tolist()) if measure.rows else ()
    return Measure(lambda weights: measure.statistic(weights[:, row_numbers]), measure.interval, parts, rows)
