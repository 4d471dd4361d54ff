"""Metrics with intervals: the JSON that each evaluation step writes and the gates read (EVAL-6)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from robo_poet.atomic import write_text
from robo_poet.errors import BadInput
from robo_poet.judges.estimate import Shortage, finite
from robo_poet.step.program import Call

DIGITS = 6


@dataclass(frozen=True)
class StepMetrics:
    """The metrics that one step has measured. A value that is not finite counts as missing.

    Args:
        metrics: values by name.
        intervals: (low, high) of some of them.
        shortages: why a metric has no value, or no interval, by name.
    """

    metrics: Mapping[str, float | None]
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    shortages: Mapping[str, Shortage] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return `{"metrics": {name: number|null}, "intervals": {name: [low, high]}, "shortages": {name: {}}}`.

        Infinite intervals are left out.
        """
        finite_intervals = {name: limits for name, limits in self.intervals.items() if None not in map(finite, limits)}
        return {
            "metrics": {name: _number(value) for name, value in self.metrics.items()},
            "intervals": {name: [_number(low), _number(high)] for name, (low, high) in finite_intervals.items()},
            "shortages": {name: shortage.to_json() for name, shortage in self.shortages.items()},
        }

    def show(self, call: Call) -> None:
        """Write the output `metrics` for the Kubeflow UI, if the step has it."""
        show_metrics(call, self.to_json()["metrics"])

    @classmethod
    def from_json(cls, value: Mapping[str, Any], where: Path | str) -> Self:
        """Read the value that `to_json` returned.

        Raises:
            BadInput: it has no metrics, or a shortage that is not one.
        """
        metrics, intervals, shortages = value.get("metrics"), value.get("intervals", {}), value.get("shortages", {})
        if not isinstance(metrics, dict) or not isinstance(intervals, dict) or not isinstance(shortages, dict):
            raise BadInput("the metrics are missing", where=str(where), remedy="run the evaluation again")
        pairs = {name: limits for name, limits in intervals.items() if isinstance(limits, list) and len(limits) == 2}
        try:
            read = {name: Shortage.from_json(shortage) for name, shortage in shortages.items()}
        except ValueError as error:
            raise BadInput(str(error), where=f"{where}: shortages", remedy="run the evaluation again") from None
        return cls(metrics, {name: (low, high) for name, (low, high) in pairs.items()}, read)

    @classmethod
    def merge(cls, parts: Iterable["StepMetrics"]) -> "StepMetrics":
        """Merge the metrics of several steps.

        Raises:
            ValueError: two steps have measured the same metric.
        """
        metrics: dict[str, float | None] = {}
        intervals: dict[str, tuple[float, float]] = {}
        shortages: dict[str, Shortage] = {}
        for measured in parts:
            if duplicates := sorted(metrics.keys() & measured.metrics.keys()):
                raise ValueError(f"two steps measured {duplicates[0]}")
            metrics |= measured.metrics
            intervals |= measured.intervals
            shortages |= measured.shortages
        return cls(metrics, intervals, shortages)


def show_metrics(call: Call, metrics: Mapping[str, float | None]) -> None:
    """Write the output `metrics` if the step has it: as JSON and as artifact metadata, which the Kubeflow UI shows."""
    if "metrics" in call.outputs:
        write_text(call.outputs["metrics"], json.dumps(metrics, sort_keys=True))
        call.describe("metrics", **{name: value for name, value in metrics.items() if value is not None})


def _number(value: object) -> float | None:
    number = finite(value)
    return None if number is None else round(number, DIGITS)
