"""Comparison of two models on the same documents, in bits per byte, which does not depend on the tokenizer (EVAL-1, EVAL-5)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from robo_poet.judges.distributions import quantile
from robo_poet.judges.estimate import MINIMUM_UNITS, Estimate
from robo_poet.judges.intervals import ratio, ratio_estimate
from robo_poet.judges.units import Kind, Units, units

POWER = 0.8


# Relative difference of two likelihoods of one document that is rounding: TensorFlow's order of float32 sums depends on the free cores. One
# such difference among zeros once made the comparison of a model with itself "unknown".
ROUNDING = 1e-5


@dataclass(frozen=True)
class Comparison:
    """The comparison of a new model with the champion.

    Args:
        difference: bits per byte of the new model minus those of the champion; below 0, the new model is better.
        unit: the independent units. If it is "document" or "block", the result applies only to these works or documents: others may differ.
        verdict: better or worse if the whole interval is on one side of 0; unknown if it is infinite; otherwise no significant difference.
        needed_units: units needed to detect a true difference of this size with 80 % power, at the interval's level; None if the difference
            is 0 or unknown.
        reason: the verdict in words, with its figures.
    """

    difference: Estimate
    unit: Kind
    verdict: Literal["better", "worse", "no significant difference", "unknown"]
    needed_units: int | None
    reason: str


def compare(
    works: Sequence[str], sizes: ArrayLike, new: ArrayLike, champion: ArrayLike, *, seed: int, confidence: float = 0.95,
    documents: Sequence[str] | None = None,
) -> Comparison:  # fmt: skip
    """Compare two models on the same documents. With few works and documents, the units are blocks of text within the documents.

    Args:
        works: the work of each row. A row is a document, or a block of one.
        sizes, new, champion: arrays of shape (rows,): the bytes of each row, and its nats under the new model and the champion.
        documents: the document of each row, if rows are blocks. By default each row is a document.

    Raises:
        ValueError: lengths differ, or a size is negative or not finite.
    """
    size = np.asarray(sizes, np.float64)
    before = np.asarray(champion, np.float64)
    nats = np.asarray(new, np.float64) - before
    nats = np.where(np.abs(nats) <= ROUNDING * np.abs(before), 0.0, nats)
    if not len(works) == size.size == nats.size:
        raise ValueError(f"{len(works)} works, {size.size} sizes and {nats.size} likelihoods do not match: each document needs one of each")
    bits = nats / math.log(2)
    grouping = units(works, documents)
    unit, summed = grouping.name, grouping.sums(bits, size)
    difference = ratio_estimate(*summed, seed=seed, confidence=confidence, unit=unit)
    if not math.isfinite(difference.high):
        return Comparison(difference, unit, "unknown", None, _why_unknown(difference, grouping))
    needed = needed_units(difference.value, ratio(*summed).error * math.sqrt(difference.units), confidence)
    verdict: Literal["better", "worse", "no significant difference"] = "no significant difference"
    if difference.low > 0 or difference.high < 0:
        verdict = "worse" if difference.low > 0 else "better"
    return Comparison(difference, unit, verdict, needed, _reason(difference, grouping, verdict, needed, confidence))


def needed_units(difference: float, deviation: float, confidence: float = 0.95, power: float = POWER) -> int | None:
    """Return the fewest units that detect a true `difference` from 0 with this power: two-sided t test (Cohen 1988).

    Args:
        deviation: standard deviation of the units.

    Returns:
        At least MINIMUM_UNITS; None if there is no such number.
    """
    if difference == 0 or not math.isfinite(deviation / difference) or abs(deviation / difference) > 1e5:
        return None

    def enough(errors: float) -> int:
        return max(MINIMUM_UNITS, math.ceil((errors * deviation / difference) ** 2))

    def by_t(units: int) -> int:
        return enough(quantile((1 + confidence) / 2, units - 1) + quantile(power, units - 1))

    normal = NormalDist()
    fewest = enough(normal.inv_cdf((1 + confidence) / 2) + normal.inv_cdf(power))  # t needs more units than the normal distribution
    most = by_t(fewest)  # the maximum: `by_t` decreases with the number of units
    while fewest < most:
        middle = (fewest + most) // 2
        fewest, most = (fewest, middle) if by_t(middle) <= middle else (middle + 1, most)
    return fewest


def _why_unknown(difference: Estimate, grouping: Units) -> str:
    if math.isnan(difference.value):
        return "a likelihood is not a finite number, or there is no text"
    if difference.units < MINIMUM_UNITS:
        return f"{_counted(difference.units, grouping)} are too few for a comparison: {MINIMUM_UNITS} are needed"
    return f"the {difference.units} units differ too much for a comparison"


def _counted(count: int, grouping: Units) -> str:
    return f"{count:,} {grouping.name}{'s' * (count != 1)}{grouping.scope}"


def _reason(difference: Estimate, grouping: Units, verdict: str, needed: int | None, confidence: float) -> str:
    interval = f"{confidence:.0%} interval {difference.low:+.4f} to {difference.high:+.4f}"
    more = f"; about {needed:,} would be needed for significance" if verdict == "no significant difference" and needed else ""
    return f"{verdict}: {difference.value:+.4f} bits per byte, {interval}, {_counted(difference.units, grouping)}{more}"
