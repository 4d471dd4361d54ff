"""The gates that a model must pass before release (EVAL-6). They fail closed: a model that cannot be judged is rejected, with the reason.

This module only computes: it takes measurements and gates, and returns a decision. docs/reference/gates.md lists the verdicts.

An absolute bound is compared with the measured value, not with its interval, because the value describes these texts. On a slice, the value
counts only if there is an interval, because the value of a slice of three documents means nothing. The same holds for all texts if the step
recorded that they are too few for an interval. A metric that is itself an upper limit,
such as `bias_likelihood_reach`, is unknown if it is above the bound and the value below the limit is not. A value outside the bound is also
unknown if the step recorded with it that too little was measured.

A gate with `on_unknown: warn` becomes an open question if the metric was measured correctly, but on too little text, works or prompts. The
model can then be accepted, and the decision lists the question. Every other unknown is rejected: no value, NaN, no champion to read, or a
value outside the bound that is not significant. A value without an interval that is far outside the bound is rejected, however little was
measured. Without this, a model passed on 30 short notes after one step of training, with all its failures as open questions.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from robo_poet.judges.champion_gate import MOST, judge_differences
from robo_poet.judges.estimate import GateInput, Kind, Shortage, finite, too_few_units
from robo_poet.judges.gate import Gate, Outcome, select
from robo_poet.judges.metrics import exact_text
from robo_poet.judges.remedies import Remedies


@dataclass(frozen=True)
class GateResult:
    """The result of one gate on one slice.

    Args:
        value: the metric; for a gate against the champion, new model minus champion; None if it is missing or not finite.
        bound: the bound as text, such as ">= 0.3 and <= 1".
        verdict: "open" is neither passed nor failed: too little was measured, and the gate has `on_unknown: warn`.
        reason: why it failed or is open, or why it passed although nothing was compared; otherwise empty.
        slice: the slice of the held-out texts; "" is all of them.
        against: "champion" if `value` is a difference.
        low, high: limits of the interval, None if there is none.
        unknown: the gate could not judge; the verdict is then the gate's `on_unknown`.
        proven: True if the whole interval is within the bound, not only the value; None if there is no interval.
        kind: why the gate could not judge or has no value, see `Shortage`; otherwise empty.
        what, needed, there: what was counted, how much was needed, and how much there was; empty and None if nothing was lacking.
        remedy: the setting to change if the gate failed or is open, as a user types it.
    """

    metric: str
    value: float | None
    bound: str
    verdict: Literal["pass", "fail", "open"]
    reason: str
    slice: str = ""
    against: str = ""
    low: float | None = None
    high: float | None = None
    unknown: bool = False
    proven: bool | None = None
    kind: Literal["", Kind] = ""
    what: str = ""
    needed: int | None = None
    there: int | None = None
    remedy: str = ""


QUESTION = ("metric", "against", "slice", "what", "needed", "there", "reason", "remedy")  # the keys of an open question


@dataclass(frozen=True)
class Decision:
    """The verdict of all gates; `reason` is empty for an accepted model, which may have open questions."""

    verdict: Literal["accepted", "rejected"]
    gates: tuple[GateResult, ...]
    reason: str

    @property
    def open_questions(self) -> list[dict[str, Any]]:
        """One object per open gate, with the keys of `QUESTION`."""
        return [{key: getattr(gate, key) for key in QUESTION} for gate in self.gates if gate.verdict == "open"]

    def to_json(self) -> dict[str, Any]:
        """Return the artifact `decision` (docs/reference/artifacts.md)."""
        return {**asdict(self), "gates": [asdict(gate) for gate in self.gates], "open_questions": self.open_questions}


def judge_gates(
    measured: GateInput | Mapping[str, float | None], gates: Sequence[Gate], remedies: Remedies | None = None
) -> Decision:  # fmt: skip
    """Accept a model if there is at least one gate and no gate fails.

    Args:
        measured: the result of the evaluation. Metrics by name are enough for gates without slice and champion.
        gates: the gates of the profile.
        remedies: the remedies that follow from the settings of the run; without them only gates that cannot judge have a remedy.
    """
    measurements = measured if isinstance(measured, GateInput) else GateInput(measured)
    advice = remedies or Remedies()
    test_bytes = finite(measurements.metrics.get("test_bytes")) or 0.0
    results = tuple(_result(gate, outcome, advice, test_bytes) for gate in gates for outcome in _judge(measurements, gate))
    reasons = [result.reason for result in results if result.verdict == "fail"]
    if not results:
        reasons = ["the profile declares no gate"]
    return Decision("rejected" if reasons else "accepted", results, "; ".join(reasons))


def _judge(measurements: GateInput, gate: Gate) -> list[Outcome]:
    """Return one outcome per slice, at least one."""
    if fault := gate.fault():
        return [Outcome(gate.slice, "fail", fault)]
    if not measurements.has_metric(gate.metric):
        return [_missing(measurements, gate, gate.slice, "fail", f"{gate.metric} was not measured")]
    keys = select(gate.slice, measurements.slice_keys()) if gate.slice else [""]
    if not keys:
        missing = Shortage(f"slices {gate.slice}", 1, 0, "missing")
        return [Outcome(gate.slice, "unknown", f"there is no slice {gate.slice}", shortage=missing)]
    outcomes = [_value(measurements, gate, key) for key in keys]
    return (
        judge_differences(measurements, gate, outcomes) if gate.against else [_bounded(measurements, gate, outcome) for outcome in outcomes]
    )


def _missing(
    measurements: GateInput, gate: Gate, key: str, state: Literal["fail", "unknown"], reason: str, may_be_open: bool = False
) -> Outcome:  # fmt: skip
    """Return the outcome of a value that is missing. It is unknown, not failed, if the step recorded that there was too little to measure.

    Args:
        may_be_open: True if the step tried to measure the value and wrote null. A value that is absent or NaN is never an open question.
    """
    recorded = measurements.shortage(key, gate.metric)
    if recorded is None:
        return Outcome(key, state, reason, shortage=Shortage(f"values of {gate.metric}", 1, 0, "missing"))
    reason = f"{reason}: {recorded.text}"
    if recorded.kind == "amount" and not (may_be_open and recorded.is_amount):
        return Outcome(key, state, reason, shortage=replace(recorded, kind="missing"))
    return Outcome(key, "unknown" if recorded.is_amount else state, reason, shortage=recorded)


def _value(measurements: GateInput, gate: Gate, key: str) -> Outcome:
    """Return the value of the metric for the model, before it is judged. Its state is "pass" if there is a value."""
    metric = gate.metric
    if not key:
        value, interval = measurements.metrics.get(metric), measurements.intervals.get(metric)
        if metric not in measurements.metrics:
            return _missing(measurements, gate, key, "fail", f"{metric} was not measured")
        if value is None:
            return _missing(measurements, gate, key, "fail", f"{metric} could not be measured", may_be_open=True)
        if finite(value) is None:
            not_a_number = Shortage(f"finite values of {metric}", 1, 0, "missing")
            return Outcome(key, "fail", f"{metric} is {value}, not a finite number", shortage=not_a_number)
        return Outcome(key, "pass", "", finite(value)).within(interval)
    estimate = measurements.slices.get(key, {}).get(metric)
    if estimate is None:
        compared = gate.against and metric in measurements.differences.get(key, {}) and measurements.champion == "measured"
        return Outcome(key, "pass", "") if compared else _missing(measurements, gate, key, "unknown", f"{metric} of {key} was not measured")
    if not estimate.units:
        return Outcome(key, "unknown", f"{key} is empty", shortage=Shortage(f"documents of {key}", 1, 0, "missing"))
    if finite(estimate.value) is None:
        not_a_number = Shortage(f"finite values of {metric} of {key}", 1, 0, "missing")
        return Outcome(key, "fail", f"{metric} of {key} is {estimate.value}, not a finite number", shortage=not_a_number)
    return Outcome(key, "pass", "", finite(estimate.value)).within(estimate)


def _too_few(measurements: GateInput, gate: Gate, key: str) -> Shortage:
    """Return the shortage of a slice that has a value but no interval."""
    return too_few_units(measurements.slices[key][gate.metric], f" of {key}")


def _bounded(measurements: GateInput, gate: Gate, outcome: Outcome) -> Outcome:
    """Judge a value by an absolute bound."""
    if outcome.state != "pass" or outcome.value is None:
        return outcome
    subject = f"{gate.metric} of {outcome.slice}" if outcome.slice else gate.metric
    value_text = exact_text(gate.metric, outcome.value)
    if outcome.slice and outcome.low is None:
        shortage = measurements.shortage(outcome.slice, gate.metric) or _too_few(measurements, gate, outcome.slice)
        return replace(outcome, state="unknown", reason=f"{subject} cannot be judged: {shortage.text}", shortage=shortage)
    if gate.min is not None and outcome.value < gate.min:
        return _outside(measurements, gate, outcome, f"{subject} is {value_text}, below {exact_text(gate.metric, gate.min)}")
    if gate.max is not None and outcome.value > gate.max:
        return _outside(measurements, gate, outcome, f"{subject} is {value_text}, above {exact_text(gate.metric, gate.max)}")
    recorded = None if outcome.slice else measurements.shortages.get("", {}).get(gate.metric)
    if outcome.low is None and recorded and recorded.is_amount:  # such as the perplexity of one held-out document of 2 kB
        reason = f"{subject} is {value_text}, but too little was measured: {recorded.text}"
        return replace(outcome, state="unknown", reason=reason, shortage=recorded)
    return outcome


def _outside(measurements: GateInput, gate: Gate, outcome: Outcome, reason: str) -> Outcome:
    """Return the outcome of a value outside the bound. It is unknown, not failed, if the step says that too little was measured."""
    if not outcome.slice and (wide := _wide_limit(measurements, gate, outcome)):
        return replace(outcome, state="unknown", reason=f"{reason}, but too little was measured: {wide.text}", shortage=wide)
    recorded = None if outcome.slice else measurements.shortages.get("", {}).get(gate.metric)
    far = outcome.low is None and _is_far(gate, outcome.value or 0.0)
    if recorded and recorded.is_amount and not far:
        return replace(outcome, state="unknown", reason=f"{reason}, but too little was measured: {recorded.text}", shortage=recorded)
    return replace(outcome, state="fail", reason=reason + _reaches_within(gate, outcome))


def _reaches_within(gate: Gate, outcome: Outcome) -> str:
    """Return words that limit a failure: the interval of a value outside the bound contains values that pass. Otherwise empty."""
    low, high = outcome.low, outcome.high
    if low is None or high is None or (gate.min is not None and high < gate.min) or (gate.max is not None and low > gate.max):
        return ""
    return " (by value; the interval reaches within the bound)"


FAR = 2.0  # a perplexity of twice the bound is one bit per token away from it


def _is_far(gate: Gate, value: float) -> bool:
    """Return True if a value outside the bound is more than twice the upper bound, or less than half the lower bound."""
    return (gate.max is not None and value > gate.max * FAR) or (gate.min is not None and value < gate.min / FAR)


def _wide_limit(measurements: GateInput, gate: Gate, outcome: Outcome) -> Shortage | None:
    """Return the shortage of a metric that is an upper limit, if the value below it is within the bound.

    Half-widths shrink as 1/√units, as in the comparison with the champion. Beyond MOST times the units, there is no shortage.
    """
    estimate = measurements.limited.get(gate.metric)
    if estimate is None or gate.max is None or outcome.value is None or abs(estimate.value) >= gate.max:
        return None
    ratio = ((outcome.value - abs(estimate.value)) / (gate.max - abs(estimate.value))) ** 2
    needed = max(estimate.units + 1, math.ceil(estimate.units * min(ratio, MOST) - 1e-6))
    return Shortage(estimate.unit, needed, estimate.units) if ratio <= MOST else None


def _result(gate: Gate, outcome: Outcome, remedies: Remedies, test_bytes: float) -> GateResult:
    shortage, reason = outcome.shortage, outcome.reason
    verdict: Literal["pass", "fail", "open"] = "pass" if outcome.state == "pass" else "fail"
    if outcome.state == "unknown" and gate.on_unknown == "pass":
        verdict, reason = "pass", f"{reason}; passes because on_unknown is pass"
    elif outcome.state == "unknown" and gate.on_unknown == "warn" and shortage and shortage.is_amount:
        verdict = "open"
    return GateResult(
        gate.metric, outcome.value, gate.bound, verdict, reason,
        outcome.slice, gate.against, outcome.low, outcome.high, outcome.state == "unknown", _proven(gate, outcome),
        shortage.kind if shortage else "", shortage.what if shortage else "", shortage.needed if shortage else None,
        shortage.there if shortage else None, "" if verdict == "pass" else remedies.of(gate, outcome, test_bytes),
    )  # fmt: skip


def _proven(gate: Gate, outcome: Outcome) -> bool | None:
    if outcome.low is None or outcome.high is None:
        return None
    if gate.against:
        return outcome.state == "pass"
    return (gate.min is None or outcome.low >= gate.min) and (gate.max is None or outcome.high <= gate.max)
