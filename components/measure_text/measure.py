"""What a metric is: a statistic of rows, and how its interval is found."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from components.measure_text.interval import Numbers, Statistic, jackknife, percentile, value
from robo_poet.judges.estimate import Estimate
from robo_poet.judges.rates import clustered_rate


@dataclass(frozen=True)
class Measure:
    """A metric.

    Args:
        statistic: of the weights of rows.
        interval: by what it is found; a share's is exact, for as many rows as are independent; a maximum has none.
        rows: a value a row, NaN where a row has none, for naming the worst; empty where a row alone has no value.
    """

    statistic: Statistic
    interval: Literal["percentile", "share", "jackknife", "none"] = "percentile"
    rows: tuple[float, ...] = ()

    def estimate(self, units: npt.NDArray[np.int64], *, resamples: int, confidence: float, seed: int) -> Estimate:
        """The value with its interval."""
        if self.interval == "share":
            there = np.isfinite(self.rows)
            hits, trials = (np.bincount(units[there], weights, len(units)) for weights in (np.asarray(self.rows)[there], None))
            return clustered_rate(hits, trials, confidence=confidence)
        if self.interval == "percentile":
            return percentile(self.statistic, units, resamples=resamples, confidence=confidence, seed=seed)
        if self.interval == "jackknife":
            return jackknife(self.statistic, units, confidence=confidence)
        return Estimate(value(self.statistic, len(units)), -np.inf, np.inf, int(units.max(initial=-1)) + 1)


def ratio(above: Sequence[float], below: Sequence[float]) -> Measure:
    """Sum over sum; NaN where the lower one is 0."""
    over, under = np.asarray(above, np.float64), np.asarray(below, np.float64)

    def statistic(weights: Numbers) -> Numbers:
        return divided(weights @ over, weights @ under)

    return Measure(statistic, rows=tuple(divided(over, under).tolist()))


def mean(values: Sequence[float]) -> Measure:
    """Mean of the rows that have a value (are not NaN)."""
    numbers = np.asarray(values, np.float64)
    there = np.isfinite(numbers)
    summed = ratio(np.where(there, numbers, 0.0).tolist(), there.astype(np.float64).tolist())
    return Measure(summed.statistic, rows=tuple(numbers.tolist()))


def share(flags: Sequence[bool]) -> Measure:
    """Share of the rows of which something is true."""
    return replace(mean([float(flag) for flag in flags]), interval="share")


def median(values: Sequence[float]) -> Measure:
    """The lower median: the smallest value that at least half of the rows do not exceed."""
    numbers = np.asarray(values, np.float64)
    order = np.argsort(numbers, kind="stable")

    def statistic(weights: Numbers) -> Numbers:
        reached = np.cumsum(weights[:, order], axis=1)
        place = (2 * reached < reached[:, -1:]).sum(axis=1) if len(order) else np.zeros(len(weights), np.int64)
        there: Numbers = numbers[order][np.minimum(place, len(order) - 1)] if len(order) else np.full(len(weights), np.nan)
        return there

    return Measure(statistic, rows=tuple(numbers.tolist()))


def largest(values: Sequence[float]) -> Measure:
    """The maximum, without an interval: the bootstrap of a maximum is not consistent (Bickel & Freedman 1981)."""
    numbers = np.asarray(values, np.float64)

    def statistic(weights: Numbers) -> Numbers:
        most: Numbers = np.where(weights > 0, numbers, -np.inf).max(axis=1, initial=-np.inf)
        return most

    return Measure(statistic, "none", tuple(numbers.tolist()))


def divided(above: Numbers, below: Numbers) -> Numbers:
    """Quotients, NaN where the divisor is 0."""
    quotients: Numbers = np.divide(above, below, out=np.full(np.shape(above), np.nan), where=np.asarray(below) != 0)
    return quotients


def on_rows(measure: Measure, chosen: Sequence[int], count: int) -> Measure:
    """A measure of some rows as one of `count` rows, of which the others have no say."""
    places = np.asarray(chosen, np.int64)
    rows = np.full(count, np.nan)
    if measure.rows:
        rows[places] = measure.rows
    return Measure(lambda weights: measure.statistic(weights[:, places]), measure.interval, tuple(rows.tolist()) if measure.rows else ())
