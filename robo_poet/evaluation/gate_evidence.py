"""The artifacts of the evaluation steps, or what a model card keeps of them, as the input of the gates (EVAL-6).

A version can be judged again from its card: it has all that the gates read, except the training curve.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from robo_poet.errors import BadInput
from robo_poet.evaluation.step_metrics import StepMetrics
from robo_poet.judges.estimate import Estimate, GateInput, Shortage
from robo_poet.judges.metrics import SLICED

STATES: dict[str, Literal["none", "measured"]] = {"none": "none", "measured": "measured"}
RUN_AGAIN = "run the evaluation again"


def card_evidence(card: Mapping[str, Any], decision: Mapping[str, Any], where: str) -> tuple[StepMetrics, dict[str, dict[str, Any]]]:
    """Return the metrics and the artifacts that a model card and the decision of its run keep; the second is for `gate_input`.

    Args:
        card: `card.json` of a version.
        decision: `decision.json` of a version.
        where: name of the version, for messages.

    Raises:
        BadInput: the card is that of an earlier release, which kept less, or it was changed.
    """
    try:
        texts = {"difference": card["champion_texts"]["difference"], "unit": card["measured_on"]["text_unit"]}
        audit = {"axes": card["bias"]["groups"]}
        artifacts = {"slices": card["slices"], "comparison": card["champion"], "text_metrics": texts, "model_audit": audit}
    except (KeyError, TypeError):
        raise BadInput("its card does not have all that the gates read", where=where, remedy="run the pipeline for a new version") from None
    return StepMetrics.from_json(decision, where), {name: _object(value, f"{where}: {name}") for name, value in artifacts.items()}


@dataclass(frozen=True)
class SliceRow:
    """A row of the `slices` artifact. `key` is "" for all documents; `differences` are new model minus champion."""

    key: str
    documents: int
    metrics: dict[str, Estimate]
    differences: dict[str, Estimate]


def gate_input(step_metrics: StepMetrics, artifacts: Mapping[str, Mapping[str, Any]], places: Mapping[str, object]) -> GateInput:
    """Return the input of the gates: the metrics, the slices and the comparison with the champion.

    Args:
        artifacts: `slices`, `comparison`, `text_metrics` and `model_audit`.
        places: name → where the artifact was read, for messages.

    Raises:
        BadInput: an artifact is malformed; the message names the file and the key.
    """
    slices_artifact, where = artifacts["slices"], str(places["slices"])
    rows = [_slice_row(row, f"{where}: slices.{number}") for number, row in enumerate(_list(slices_artifact, "slices", where))]
    min_documents = _count(slices_artifact, "min_documents", where)
    judged = [row for row in rows if row.documents >= min_documents]
    differences = {row.key: row.differences for row in judged if row.differences}
    few = {
        row.key: {"": Shortage(f"documents of {row.key}", min_documents, row.documents)}
        for row in rows
        if row.key and row.documents < min_documents
    }
    comparison = artifacts["comparison"]
    overall = _overall_difference(comparison, places["comparison"])
    for name, estimate in (overall | _text_differences(artifacts["text_metrics"], places["text_metrics"])).items():
        differences.setdefault("", {})[name] = estimate
    unknown = {row.key: _unknown(row.metrics) for row in rows if row.key and row.documents < min_documents}
    return GateInput(
        metrics=step_metrics.metrics,
        intervals={name: Estimate(math.nan, low, high, 1) for name, (low, high) in step_metrics.intervals.items()},
        slices=unknown | _left_out(slices_artifact, where) | {row.key: row.metrics for row in judged if row.key},
        champion=STATES.get(str(comparison.get("state")), "unreadable"),
        differences=differences,
        shortages={**few, "": step_metrics.shortages},
        limited=_widest_gaps(artifacts["model_audit"], places["model_audit"]),
    )


def _widest_gaps(audit: Mapping[str, Any], place: object) -> dict[str, Estimate]:
    """Return the |gap| with the largest upper limit under each measure, by the metric that is this limit. Units are pairs or prompts."""
    widest: dict[str, Estimate] = {}
    for number, value in enumerate(_list(audit, "axes", str(place))):
        where = f"{place}: axes.{number}"
        row = _object(value, where)
        gap = _estimate(row.get("together") or {}, _count(row, "pairs", where), "", where)
        limit, measure = max(-gap.low, gap.high), row.get("measure")
        if not (math.isfinite(limit) and math.isfinite(gap.value)):
            continue
        metric = f"bias_{measure}_reach"
        if metric not in widest or limit > widest[metric].high:
            kind = "pairs" if measure == "likelihood" else "prompts"
            unit = f"{kind} in group {row.get('axis')}/{row.get('group')}" + (
                "" if row.get("language") == "en" else f" ({row.get('language')})"
            )
            widest[metric] = Estimate(abs(gap.value), 0.0, limit, gap.units, unit)
    return widest


def _slice_row(value: Any, where: str) -> SliceRow:
    row = _object(value, where)
    key = row.get("key")
    if not isinstance(key, str):
        raise BadInput("the slice has no key", where=where, remedy=RUN_AGAIN)
    unit = _unit(row, "document")
    units = _count(row, "units" if "units" in row else "works" if unit == "work" else "documents", where)
    metrics, differences = (_estimates(row, name, units, unit, where) for name in ("metrics", "difference"))
    return SliceRow(key, _count(row, "documents", where), metrics, differences)


def _unknown(metrics: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """Return the values without intervals: a slice with too few documents is unknown, not passed."""
    return {name: Estimate(estimate.value, -math.inf, math.inf, 1) for name, estimate in metrics.items()}


def _left_out(slices_artifact: Mapping[str, Any], where: str) -> dict[str, dict[str, Estimate]]:
    """Return the slices beyond the limit on their number, one entry per dimension. They are unknown, not passed."""
    unknown: dict[str, dict[str, Estimate]] = {}
    for number, value in enumerate(_list(slices_artifact, "left_out", where)):
        row_where = f"{where}: left_out.{number}"
        dimension = _object(value, row_where)
        count = _count(dimension, "slices", row_where)
        key = ",".join(f"{column}=({count} more)" for column in sorted(map(str, _list(dimension, "columns", row_where))))
        unknown[key] = {name: Estimate(math.nan, -math.inf, math.inf, 0) for name in SLICED}
    return unknown


def _overall_difference(comparison: Mapping[str, Any], place: object) -> dict[str, Estimate]:
    """Return the overall difference of a comparison in bits per byte; empty if there is none.

    This difference replaces that of the slice of all documents, which may use other independent units.
    """
    where = f"{place}: bits_per_byte"
    difference = _object(comparison.get("bits_per_byte") or {}, where).get("difference")
    if not difference:
        return {}
    return {"bits_per_byte": _estimate_with_units(difference, _unit(comparison), f"{where}.difference")}


def _text_differences(artifact: Mapping[str, Any], place: object) -> dict[str, Estimate]:
    differences = _object(artifact.get("difference") or {}, f"{place}: difference")
    return {name: _estimate_with_units(value, _unit(artifact), f"{place}: difference.{name}") for name, value in differences.items()}


def _unit(artifact: Mapping[str, Any], default: str = "unit") -> str:
    """Return the name of the independent units of an artifact's intervals."""
    unit = artifact.get("unit")
    return unit if isinstance(unit, str) else default


def _estimates(row: Mapping[str, Any], key: str, units: int, unit: str, where: str) -> dict[str, Estimate]:
    values = _object(row.get(key) or {}, f"{where}.{key}")
    return {name: _estimate(value, units, unit, f"{where}.{key}.{name}") for name, value in values.items()}


def _estimate_with_units(value: Any, unit: str, where: str) -> Estimate:
    return _estimate(value, _count(_object(value, where), "units", where), unit, where)


def _estimate(value: Any, units: int, unit: str, where: str) -> Estimate:
    """Read `{"value", "low", "high"}`. A missing or null value becomes NaN, a missing or null bound an infinite one."""
    numbers = _object(value, where)
    defaults = {"value": math.nan, "low": -math.inf, "high": math.inf}
    value, low, high = (_number(numbers, name, default, where) for name, default in defaults.items())
    return Estimate(value, low, high, units, unit)


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadInput(f"a JSON object is needed, not {type(value).__name__}", where=where, remedy=RUN_AGAIN)
    return value


def _list(values: Mapping[str, Any], key: str, where: str) -> list[Any]:
    value = values.get(key, [])
    if not isinstance(value, list):
        raise BadInput(f"a JSON list is needed, not {type(value).__name__}", where=f"{where}: {key}", remedy=RUN_AGAIN)
    return value


def _number(values: Mapping[str, Any], key: str, default: float, where: str) -> float:
    value = values.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadInput(f"{key} is of type {type(value).__name__}, not a number", where=where, remedy=RUN_AGAIN)
    return value


def _count(values: Mapping[str, Any], key: str, where: str) -> int:
    """Return a whole number of at least 0; 0 if it is missing or null."""
    number = _number(values, key, 0, where)
    if not (0 <= number < math.inf and number == int(number)):
        raise BadInput(f"{key} is {number}, not a count", where=where, remedy=RUN_AGAIN)
    return int(number)
