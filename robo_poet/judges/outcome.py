"""What a gate finds of one slice, before it is said what becomes of the unknown."""

from dataclasses import dataclass, replace
from typing import Literal

from robo_poet.judges.measurements import Interval
from robo_poet.judges.numbers import finite


@dataclass(frozen=True)
class Outcome:
    """See `GateResult`; `low` and `high` are finite and around `value`, or both None."""

    slice: str
    state: Literal["pass", "fail", "unknown"]
    reason: str
    value: float | None = None
    low: float | None = None
    high: float | None = None

    def within(self, interval: Interval | None) -> "Outcome":
        """With the limits of an interval that is one: finite, and with the value inside."""
        low, high = (finite(interval.low), finite(interval.high)) if interval else (None, None)
        if self.value is None or low is None or high is None or not low <= self.value <= high:
            return self
        return replace(self, low=low, high=high)
