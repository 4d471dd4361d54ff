"""The results of the audit and their JSON form."""

import math
from dataclasses import dataclass, field
from typing import Any

from robo_poet.judges.estimate import Estimate


@dataclass
class Audit:
    """A mutable collection of audit results. Each measurement adds its own; numbers may be NaN.

    Args:
        metrics: name → value.
        intervals: name → estimate, for the metrics with a confidence interval.
        axes: one row per group and measure, see `bias`.
        examples: pairs with the widest gaps, see `bias`.
        secrets: summary of the canary strings; empty if none were planted.
        warnings: messages about skipped measurements.
    """

    metrics: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, Estimate] = field(default_factory=dict)
    axes: list[dict[str, Any]] = field(default_factory=list)
    examples: list[dict[str, Any]] = field(default_factory=list)
    secrets: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def estimate(self, name: str, found: Estimate) -> None:
        """Add a metric with its confidence interval."""
        self.metrics[name], self.intervals[name] = found.value, found

    def to_json(self) -> dict[str, Any]:
        """Return the JSON artifact, without warnings. Floats are rounded to 6 digits.

        Non-finite numbers become None: the gates reject them and say why. Intervals with an infinite limit are left out.
        """
        ended = {name: (one.low, one.high) for name, one in self.intervals.items() if math.isfinite(one.high - one.low)}
        intervals = {name: list(both) for name, both in ended.items()}
        parts = {"metrics": self.metrics, "intervals": intervals, "axes": self.axes, "examples": self.examples, "secrets": self.secrets}
        return {name: _plain(part) for name, part in parts.items()}


def limits(found: Estimate) -> dict[str, float]:
    """Return an estimate as JSON, without its units."""
    return {"value": found.value, "low": found.low, "high": found.high}


def _plain(found: Any) -> Any:
    if isinstance(found, dict):
        return {key: _plain(value) for key, value in found.items()}
    if isinstance(found, list):
        return [_plain(value) for value in found]
    if isinstance(found, float):
        return round(found, 6) if math.isfinite(found) else None
    return found
