"""What the audit found, and its form as an artifact."""

import math
from dataclasses import dataclass, field
from typing import Any

from robo_poet.judges.estimate import Estimate


@dataclass
class Audit:
    """Filled by each measurement in turn; numbers may be NaN.

    Args:
        axes: a row a group and measure.
        secrets: empty where none were planted.
        warnings: what was left out.
    """

    metrics: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, Estimate] = field(default_factory=dict)
    axes: list[dict[str, Any]] = field(default_factory=list)
    examples: list[dict[str, Any]] = field(default_factory=list)
    secrets: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def estimate(self, name: str, found: Estimate) -> None:
        """A metric with its interval."""
        self.metrics[name], self.intervals[name] = found.value, found

    def to_json(self) -> dict[str, Any]:
        """Rounded to 6 digits; what is no number is null: the gates reject it, with the reason."""
        ended = {name: (one.low, one.high) for name, one in self.intervals.items() if math.isfinite(one.high - one.low)}
        intervals = {name: list(both) for name, both in ended.items()}
        parts = {"metrics": self.metrics, "intervals": intervals, "axes": self.axes, "examples": self.examples, "secrets": self.secrets}
        return {name: _plain(part) for name, part in parts.items()}


def limits(found: Estimate) -> dict[str, float]:
    """An estimate as JSON."""
    return {"value": found.value, "low": found.low, "high": found.high}


def _plain(found: Any) -> Any:
    if isinstance(found, dict):
        return {key: _plain(value) for key, value in found.items()}
    if isinstance(found, list):
        return [_plain(value) for value in found]
    if isinstance(found, float):
        return round(found, 6) if math.isfinite(found) else None
    return found
