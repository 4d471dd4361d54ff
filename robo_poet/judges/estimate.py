"""Measured values with confidence intervals, and the collection of all values that the gates judge.

Standard library only, because the step gate_model has no NumPy.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol


def finite(value: object) -> float | None:
    """Return `value` as a float if it is a finite number, else None. Input may be any JSON value; a bool is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # an integer of more than 308 digits
        return None
    return number if math.isfinite(number) else None


@dataclass(frozen=True)
class Estimate:
    """A measured value with its confidence interval.

    Args:
        value: the measurement.
        low, high: lower and upper limit of the interval; infinite if too little was measured.
        units: number of independent units behind it (works, documents, templates).
    """

    value: float
    low: float
    high: float
    units: int


class Interval(Protocol):
    """The interface of an `Estimate`. A limit of None means infinite, which JSON cannot express."""

    @property
    def value(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def units(self) -> int: ...


@dataclass(frozen=True)
class GateInput:
    """All measurements of a model before release. Missing entries are unknown, and the gates fail closed on them.

    Args:
        metrics: overall values by name; None, NaN and infinity count as missing.
        intervals: intervals of some of these values. They are shown, but an overall gate does not need them.
        slices: values by slice ("author=Shakespeare", see `slices`) and metric.
        champion: "none" if the registry has no champion; "measured"; "unreadable".
        differences: new model minus champion on the same documents, with 95 % intervals, by slice ("" is overall) and metric.
    """

    metrics: Mapping[str, float | None]
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    slices: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)
    champion: Literal["none", "measured", "unreadable"] = "unreadable"
    differences: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)

    def slice_keys(self) -> set[str]:
        """Return all slices except the overall one."""
        return {*self.slices, *self.differences} - {""}

    def has_metric(self, metric: str) -> bool:
        """Return True if the metric was measured overall or on any slice."""
        return any(metric in values for values in (self.metrics, *self.slices.values(), *self.differences.values()))
