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

    def estimate(self, name: str, estimate: Estimate) -> None:
        """Add a metric with its confidence interval."""
        self.metrics[name], self.intervals[name] = estimate.value, estimate

    def to_json(self) -> dict[str, Any]:
        """Return the JSON artifact, without warnings. Floats are rounded to 6 digits.

        Non-finite numbers become None: the gates reject them and say why. Intervals with an infinite limit are left out.
        """
        finite = {
            name: (estimate.low, estimate.high) for name, estimate in self.intervals.items() if math.isfinite(estimate.high - estimate.low)
        }
        intervals = {name: list(pair) for name, pair in finite.items()}
        sections = {"metrics": self.metrics, "intervals": intervals, "axes": self.axes, "examples": self.examples, "secrets": self.secrets}
        return {name: _plain(section) for name, section in sections.items()}


def limits(estimate: Estimate) -> dict[str, float]:
    """Return an estimate as JSON, without its units."""
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}


def _plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_plain(value) for value in data]
    if isinstance(data, float):
        return round(data, 6) if math.isfinite(data) else None
    return data
