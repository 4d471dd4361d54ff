"""The gates that a model must pass before release (EVAL-6). They fail closed: a model that cannot be judged is rejected, with the reason.

This module only computes: it takes measurements and gates, and returns a decision. docs/reference/gates.md lists the verdicts.

An absolute bound is compared with the measured value, not with its interval, because the value describes these texts. On a slice, the value
counts only if there is an interval, because the value of a slice of three documents means nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from robo_poet.judges.champion_gate import judge_differences
from robo_poet.judges.estimate import GateInput, finite
from robo_poet.judges.gate import Gate, Outcome, select
from robo_poet.judges.metrics import exact_text


@dataclass(frozen=True)
class GateResult:
    """The result of one gate on one slice.

    Args:
        value: the metric; for a gate against the champion, new model minus champion; None if it is missing or not finite.
        bound: the bound as text, such as ">= 0.3 and <= 1".
        reason: why it failed, or why it passed although nothing was compared; otherwise empty.
        slice: the slice of the held-out texts; "" is all of them.
        against: "champion" if `value` is a difference.
        low, high: limits of the interval, None if there is none.
        unknown: too little was measured to judge; the verdict is then the gate's `on_unknown`.
        proven: True if the whole interval is within the bound, not only the value; None if there is no interval.
    """

    metric: str
    value: float | None
    bound: str
    verdict: Literal["pass", "fail"]
    reason: str
    slice: str = ""
    against: str = ""
    low: float | None = None
    high: float | None = None
    unknown: bool = False
    proven: bool | None = None


@dataclass(frozen=True)
class Decision:
    """The verdict of all gates; `reason` is empty for an accepted model."""

    verdict: Literal["accepted", "rejected"]
    gates: tuple[GateResult, ...]
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Return the artifact `decision` (docs/reference/artifacts.md)."""
        return {**asdict(self), "gates": [asdict(gate) for gate in self.gates]}


def judge_gates(measured: GateInput | Mapping[str, float | None], gates: Sequence[Gate]) -> Decision:
    """Accept a model if there is at least one gate and every gate passes.

    Args:
        measured: the result of the evaluation. Metrics by name are enough for gates without slice and champion.
        gates: the gates of the profile.
    """
    measurements = measured if isinstance(measured, GateInput) else GateInput(measured)
    results = tuple(_result(gate, outcome) for gate in gates for outcome in _judge(measurements, gate))
    reasons = [result.reason for result in results if result.verdict == "fail"]
    if not results:
        reasons = ["the profile declares no gate"]
    return Decision("rejected" if reasons else "accepted", results, "; ".join(reasons))


def _judge(measurements: GateInput, gate: Gate) -> list[Outcome]:
    """Return one outcome per slice, at least one."""
    if fault := gate.fault():
        return [Outcome(gate.slice, "fail", fault)]
    if not measurements.has_metric(gate.metric):
        return [Outcome(gate.slice, "fail", f"{gate.metric} was not measured")]
    keys = select(gate.slice, measurements.slice_keys()) if gate.slice else [""]
    if not keys:
        return [Outcome(gate.slice, "unknown", f"there is no slice {gate.slice}")]
    outcomes = [_value(measurements, gate, key) for key in keys]
    return judge_differences(measurements, gate, outcomes) if gate.against else [_bounded(gate, outcome) for outcome in outcomes]


def _value(measurements: GateInput, gate: Gate, key: str) -> Outcome:
    """Return the value of the metric for the model, before it is judged. Its state is "pass" if there is a value."""
    metric = gate.metric
    if not key:
        value, interval = measurements.metrics.get(metric), measurements.intervals.get(metric)
        if metric not in measurements.metrics:
            return Outcome(key, "fail", f"{metric} was not measured")
        if finite(value) is None:
            return Outcome(key, "fail", f"{metric} could not be measured" if value is None else f"{metric} is {value}, not a finite number")
        return Outcome(key, "pass", "", finite(value)).within(interval)
    estimate = measurements.slices.get(key, {}).get(metric)
    if estimate is None:
        compared = gate.against and metric in measurements.differences.get(key, {}) and measurements.champion == "measured"
        return Outcome(key, "pass" if compared else "unknown", "" if compared else f"{metric} of {key} was not measured")
    if not estimate.units:
        return Outcome(key, "unknown", f"{key} is empty")
    if finite(estimate.value) is None:
        return Outcome(key, "fail", f"{metric} of {key} is {estimate.value}, not a finite number")
    return Outcome(key, "pass", "", finite(estimate.value)).within(estimate)


def _bounded(gate: Gate, outcome: Outcome) -> Outcome:
    """Judge a value by an absolute bound."""
    if outcome.state != "pass" or outcome.value is None:
        return outcome
    subject = f"{gate.metric} of {outcome.slice}" if outcome.slice else gate.metric
    value_text = exact_text(gate.metric, outcome.value)
    if outcome.slice and outcome.low is None:
        return replace(outcome, state="unknown", reason=f"{subject} cannot be judged: too little was measured")
    if gate.min is not None and outcome.value < gate.min:
        return replace(outcome, state="fail", reason=f"{subject} is {value_text}, below {exact_text(gate.metric, gate.min)}")
    if gate.max is not None and outcome.value > gate.max:
        return replace(outcome, state="fail", reason=f"{subject} is {value_text}, above {exact_text(gate.metric, gate.max)}")
    return outcome


def _result(gate: Gate, outcome: Outcome) -> GateResult:
    passes, reason = outcome.state == "pass", outcome.reason
    if outcome.state == "unknown" and gate.on_unknown == "pass":
        passes, reason = True, f"{reason}; passes because on_unknown is pass"
    return GateResult(
        gate.metric, outcome.value, gate.bound, "pass" if passes else "fail", reason,
        outcome.slice, gate.against, outcome.low, outcome.high, outcome.state == "unknown", _proven(gate, outcome),
    )  # fmt: skip


def _proven(gate: Gate, outcome: Outcome) -> bool | None:
    if outcome.low is None or outcome.high is None:
        return None
    if gate.against:
        return outcome.state == "pass"
    return (gate.min is None or outcome.low >= gate.min) and (gate.max is None or outcome.high <= gate.max)
