"""What a metric is: a statistic of rows, and how its interval is found."""

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
    """A metric.

    Args:
        statistic: of the weights of rows.
        interval: by what it is found. Sums over sums have the judges' (docs/judges.md): a share's is exact for as many rows as are
            independent, that of another ratio is studentised. Other smooth functions have the jackknife's; a median and a maximum none.
        parts: of a ratio or a share, (rows,): what is summed above, and below.
        rows: a value a row, NaN where a row has none, for naming the worst; empty where a row alone has no value.
    """

    statistic: Statistic
    interval: Literal["ratio", "share", "jackknife", "none"] = "jackknife"
    parts: tuple[Numbers, Numbers] | None = None
    rows: tuple[float, ...] = ()

    def estimate(self, units: Units, *, resamples: int, seed: int) -> Estimate:
        """The value with its interval."""
        if self.parts:
            above, below = units.sums(*self.parts)
            if self.interval == "share":
                return clustered_rate(above, below)
            return ratio_estimate(above, below, resamples=resamples, seed=seed)
        if self.interval == "jackknife":
            return jackknife(self.statistic, units.of)
        return Estimate(value(self.statistic, len(units.of)), -np.inf, np.inf, int(units.of.max(initial=-1)) + 1)

    def less(self, other: "Measure") -> "Measure":
        """The difference from another measure of the same rows: units are left out of both together."""
        return Measure(lambda weights: self.statistic(weights) - other.statistic(weights))

    def over(self, other: "Measure") -> "Measure":
        """The quotient, likewise."""
        return Measure(lambda weights: divided(self.statistic(weights), other.statistic(weights)))


def ratio(above: Sequence[float], below: Sequence[float], interval: Literal["ratio", "share"] = "ratio") -> Measure:
    """Sum over sum; NaN where the lower one is 0. It is a share where the upper one counts some of what the lower one counts."""
    over, under = np.asarray(above, np.float64), np.asarray(below, np.float64)

    def statistic(weights: Numbers) -> Numbers:
        return divided(weights @ over, weights @ under)

    return Measure(statistic, interval, (over, under), tuple(divided(over, under).tolist()))


def mean(values: Sequence[float]) -> Measure:
    """Mean of the rows that have a value (are not NaN)."""
    numbers = np.asarray(values, np.float64)
    there = np.isfinite(numbers)
    return ratio(np.where(there, numbers, 0.0).tolist(), there.astype(np.float64).tolist())


def share(flags: Sequence[bool]) -> Measure:
    """Share of the rows of which something is true."""
    return ratio([float(flag) for flag in flags], [1.0] * len(flags), "share")


def median(values: Sequence[float]) -> Measure:
    """The lower median, the smallest value that at least half of the rows do not exceed; the jackknife of it is not consistent."""
    numbers = np.asarray(values, np.float64)
    order = np.argsort(numbers, kind="stable")

    def statistic(weights: Numbers) -> Numbers:
        reached = np.cumsum(weights[:, order], axis=1)
        place = (2 * reached < reached[:, -1:]).sum(axis=1) if len(order) else np.zeros(len(weights), np.int64)
        there: Numbers = numbers[order][np.minimum(place, len(order) - 1)] if len(order) else np.full(len(weights), np.nan)
        return there

    return Measure(statistic, "none", rows=tuple(numbers.tolist()))


def largest(values: Sequence[float]) -> Measure:
    """The maximum, without an interval: the bootstrap of a maximum is not consistent (Bickel & Freedman 1981)."""
    numbers = np.asarray(values, np.float64)

    def statistic(weights: Numbers) -> Numbers:
        most: Numbers = np.where(weights > 0, numbers, -np.inf).max(axis=1, initial=-np.inf)
        return most

    return Measure(statistic, "none", rows=tuple(numbers.tolist()))


def divided(above: Numbers, below: Numbers) -> Numbers:
    """Quotients, NaN where the divisor is 0."""
    quotients: Numbers = np.divide(above, below, out=np.full(np.shape(above), np.nan), where=np.asarray(below) != 0)
    return quotients


def on_rows(measure: Measure, chosen: Sequence[int], count: int) -> Measure:
    """A measure of some rows as one of `count` rows, of which the others have no say."""
    places = np.asarray(chosen, np.int64)

    def spread(values: Sequence[float] | Numbers, elsewhere: float) -> Numbers:
        rows = np.full(count, elsewhere)
        rows[places] = values
        return rows

    parts = (spread(measure.parts[0], 0.0), spread(measure.parts[1], 0.0)) if measure.parts else None
    rows = tuple(spread(measure.rows, np.nan).tolist()) if measure.rows else ()
    return Measure(lambda weights: measure.statistic(weights[:, places]), measure.interval, parts, rows)
