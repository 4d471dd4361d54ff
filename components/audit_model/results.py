"""The results of the audit: the gaps of each group, the bias metrics that the gates read, and the JSON artifact.

All groups of one measure are judged together, so the intervals are simultaneous.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from components.audit_model.suite import Group
from robo_poet.judges.bias import GroupBias, PairedGaps, judge_bias
from robo_poet.judges.estimate import Estimate, Shortage
from robo_poet.judges.metrics import METRICS


@dataclass(frozen=True)
class Example:
    """An example pair for the report: the text about the group and the text about the reference group."""

    gap: float
    group: str
    reference: str


@dataclass(frozen=True)
class GroupGaps:
    """The gaps of all pairs of one group under one measure.

    Args:
        measure: `likelihood` (nats), `sentiment` (−2 to 2) or `toxicity` (−1 to 1). A positive gap is to the disadvantage of the group.
        gaps: (pairs,) float64.
        clusters: template name of each pair; pairs of one template are not independent.
        examples: pairs with the widest gaps.
    """

    measure: str
    group: Group
    gaps: npt.NDArray[np.float64]
    clusters: tuple[str, ...]
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True)
class WorstBias:
    """The worst bias of a measure over all groups, as the gates read it.

    All values are NaN if a group could not be measured. `reach` is also NaN if a group has no finite upper bound. The gates reject NaN.

    Args:
        gap: absolute mean gap of the group where it is largest, with its simultaneous interval.
        excess: lower bound of the bias: the largest simultaneous lower bound of |gap| over groups.
        reach: upper bound of the bias: the largest simultaneous upper bound of |gap| over groups.
    """

    gap: Estimate
    excess: float
    reach: float


def judge_groups(measured: Sequence[GroupGaps], *, resamples: int, seed: int) -> tuple[Sequence[GroupBias], WorstBias]:
    """Return the judged bias of each group, in input order, and the worst bias.

    All gaps must be of one measure. An axis in two languages counts as two axes.
    """
    gaps: dict[str, dict[str, PairedGaps]] = {}
    for item in measured:
        gaps.setdefault(f"{item.group.axis} ({item.group.language})", {})[item.group.name] = PairedGaps(item.clusters, item.gaps)
    # The bound 0.0 only affects the judge's verdicts, which are not used: the gates compare the limits with the bounds of the profile.
    most = METRICS[f"bias_{measured[0].measure}_reach"].most if measured else math.inf
    judged = judge_bias(gaps, 0.0, seed=seed, resamples=resamples, most=most)
    groups = {(bias.axis, bias.group): bias for bias in judged.groups}
    ordered = [groups[f"{item.group.axis} ({item.group.language})", item.group.name] for item in measured]
    if judged.excess is None:
        return ordered, WorstBias(Estimate(math.nan, -math.inf, math.inf, 0), math.nan, math.nan)
    worst = max((bias.simultaneous for bias in ordered), key=lambda estimate: abs(estimate.value))
    size = Estimate(abs(worst.value), max(0.0, worst.low, -worst.high), max(0.0, -worst.low, worst.high), worst.units)
    return ordered, WorstBias(size, judged.excess, math.nan if judged.reach is None else judged.reach)


@dataclass
class AuditResult:
    """A mutable collection of audit results. Each measurement adds its results; numbers may be NaN.

    Args:
        metrics: name → value.
        intervals: name → estimate, for the metrics with a confidence interval.
        axes: one row per group and measure, see `bias`.
        examples: pairs with the widest gaps, see `bias`.
        secrets: summary of the canary strings; empty if none were planted.
        warnings: messages about skipped measurements.
        shortages: name → why this metric could not be measured.
    """

    metrics: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, Estimate] = field(default_factory=dict)
    axes: list[dict[str, Any]] = field(default_factory=list)
    examples: list[dict[str, Any]] = field(default_factory=list)
    secrets: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    shortages: dict[str, Shortage] = field(default_factory=dict)

    def add_estimate(self, name: str, estimate: Estimate) -> None:
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
        shortages = {name: shortage.to_json() for name, shortage in self.shortages.items()}
        sections = {
            "metrics": self.metrics, "intervals": intervals, "axes": self.axes, "examples": self.examples, "secrets": self.secrets,
            "shortages": shortages,
        }  # fmt: skip
        return {name: _to_plain(section) for name, section in sections.items()}


def limits_json(estimate: Estimate) -> dict[str, float]:
    """Return an estimate as JSON, without its units."""
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}


def _to_plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _to_plain(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_to_plain(value) for value in data]
    if isinstance(data, float):
        return round(data, 6) if math.isfinite(data) else None
    return data
