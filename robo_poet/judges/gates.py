"""The gates that a model passes before anyone reads it (EVAL-6). They fail closed: what cannot be judged is rejected, with the reason.

Pure: metrics and bounds in, a decision out.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Gate:
    """A metric and the bound it must keep, limits included; at least one limit."""

    metric: str
    min: float | None = None
    max: float | None = None


@dataclass(frozen=True)
class GateResult:
    """What one gate said.

    Args:
        value: the metric, None if it was missing or no finite number.
        bound: the bound in words, such as ">= 0.3 and <= 1".
        reason: why it failed, empty if it passed.
    """

    metric: str
    value: float | None
    bound: str
    verdict: Literal["pass", "fail"]
    reason: str


@dataclass(frozen=True)
class Decision:
    """The verdict of all gates; `reason` is empty for an accepted model."""

    verdict: Literal["accepted", "rejected"]
    gates: tuple[GateResult, ...]
    reason: str

    def to_json(self) -> dict[str, Any]:
        """The `decision` artifact (docs/architecture.md)."""
        return {**asdict(self), "gates": [asdict(gate) for gate in self.gates]}


def judge_gates(metrics: Mapping[str, float | None], gates: Sequence[Gate]) -> Decision:
    """Accept a model if there is a gate and every gate passes.

    Args:
        metrics: the evaluation's, by name; None, NaN and infinity are as good as missing.
        gates: the profile's.
    """
    results = tuple(_judge(metrics, gate) for gate in gates)
    reasons = [result.reason for result in results if result.verdict == "fail"]
    if not results:
        reasons = ["no gate is declared"]
    return Decision("rejected" if reasons else "accepted", results, "; ".join(reasons))


def _judge(metrics: Mapping[str, float | None], gate: Gate) -> GateResult:
    value = _finite(metrics.get(gate.metric))
    limits = [limit for limit in (gate.min, gate.max) if limit is not None]
    if gate.metric not in metrics:
        reason = f"{gate.metric} was not measured"
    elif value is None:
        reason = f"{gate.metric} is {metrics[gate.metric]}, no finite number"
    elif not limits or any(_finite(limit) is None for limit in limits):
        reason = f"the gate on {gate.metric} has no bound, or one that is no finite number"
    elif gate.min is not None and value < gate.min:
        reason = f"{gate.metric} is {_text(value)}, below {_text(gate.min)}"
    elif gate.max is not None and value > gate.max:
        reason = f"{gate.metric} is {_text(value)}, above {_text(gate.max)}"
    else:
        reason = ""
    signs = ((">=", gate.min), ("<=", gate.max))
    bound = " and ".join(f"{sign} {_text(limit)}" for sign, limit in signs if limit is not None)
    return GateResult(gate.metric, value, bound, "fail" if reason else "pass", reason)


def _finite(value: object) -> float | None:
    """`value` as a float if it is a finite number. JSON may bring anything; True is no measurement."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # an integer of more than 308 digits
        return None
    return number if math.isfinite(number) else None


def _text(value: float) -> str:
    return f"{value:.0f}" if abs(value) < 1e15 and value == int(value) else repr(value)
