"""The outcome of a gate on one slice, before the gate's `on_unknown` is applied."""

from dataclasses import dataclass, replace
from typing import Literal

from robo_poet.judges.measurements import Interval
from robo_poet.judges.numbers import finite


@dataclass(frozen=True)
class Outcome:
    """The outcome of a gate on one slice. Fields as in `GateResult`; `low` and `high` are finite and enclose `value`, or both are None."""

    slice: str
    state: Literal["pass", "fail", "unknown"]
    reason: str
    value: float | None = None
    low: float | None = None
    high: float | None = None

    def within(self, interval: Interval | None) -> "Outcome":
        """Return a copy with the limits of `interval` if they are finite and enclose the value; else return this outcome."""
        low, high = (finite(interval.low), finite(interval.high)) if interval else (None, None)
        if self.value is None or low is None or high is None or not low <= self.value <= high:
            return self
        return replace(self, low=low, high=high)
