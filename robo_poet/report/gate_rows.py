"""Rows that show the result of a gate, the same in terminal, model card, `registry show` and Kubeflow."""

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from typing import Any

from robo_poet.judges.metrics import interval_text, metric_name, metric_text, signed_text

HEAD = ("gate", "value", "95 % interval", "bound", "verdict", "reason")
PASS_BY_VALUE = "pass (by value; interval reaches beyond)"
PASS_UNKNOWN = "pass (unknown)"
FAIL_UNKNOWN = "fail (unknown)"
OPEN = "open"
QUESTION_HEAD = ("open question", "there", "needed", "what", "remedy")


@dataclass(frozen=True)
class GateRow:
    """The cells of one gate, in the order of `HEAD`. Value, interval and bound have the same unit."""

    name: str
    value: str
    interval: str
    bound: str
    verdict: str
    reason: str

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells as texts."""
        return astuple(self)


def gate_name(metric: str, slice_key: str, against: str) -> str:
    """Return the title of a gate: the metric, the slice and the comparison."""
    return f"{metric_name(metric)}{f', {slice_key}' if slice_key else ''}{', difference from the champion' if against else ''}"


def gate_row(result: Mapping[str, Any]) -> GateRow:
    """Return the row of a gate's result.

    Args:
        result: a `GateResult` as JSON (docs/reference/artifacts.md, artifact `decision`). Versions of older releases lack some keys.
    """
    metric, against = str(result["metric"]), str(result.get("against", ""))
    text = signed_text if against else metric_text
    value = result.get("value")
    no_champion = bool(against) and value is None and result.get("verdict") == "pass" and not result.get("unknown")
    return GateRow(
        gate_name(metric, str(result.get("slice", "")), against),
        "no champion yet" if no_champion else text(metric, value),
        interval_text(metric, (result.get("low"), result.get("high")), text),
        str(result.get("bound", "")),
        verdict_text(result),
        str(result.get("reason", "")),
    )


def question_rows(gates: Iterable[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Return one row per open gate, with the cells of `QUESTION_HEAD`.

    Args:
        gates: `GateResult`s as JSON.
    """
    return [
        (
            gate_name(str(gate["metric"]), str(gate.get("slice", "")), str(gate.get("against", ""))),
            f"{gate.get('there') or 0:,}", f"{gate.get('needed') or 0:,}", str(gate.get("what", "")), str(gate.get("remedy", "")),
        )
        for gate in gates
        if gate.get("verdict") == OPEN
    ]  # fmt: skip


def verdict_text(result: Mapping[str, Any]) -> str:
    """Return the verdict with its restriction: by value only, or unknown."""
    if result.get("unknown") and result["verdict"] != OPEN:
        return PASS_UNKNOWN if result["verdict"] == "pass" else FAIL_UNKNOWN
    return PASS_BY_VALUE if result["verdict"] == "pass" and result.get("proven") is False else str(result["verdict"])
