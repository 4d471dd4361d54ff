"""Reads the artifacts of the evaluation steps as the input of the gates."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from robo_poet.errors import BadInput, read_object
from robo_poet.evaluation.step_metrics import StepMetrics
from robo_poet.judges.estimate import Estimate, GateInput, Shortage
from robo_poet.judges.metrics import SLICED

STATES: dict[str, Literal["none", "measured"]] = {"none": "none", "measured": "measured"}
METRIC_ARTIFACTS = ("evaluation", "text_metrics", "model_audit", "slices")
RUN_AGAIN = "run the evaluation again"


def read_step_metrics(inputs: Mapping[str, Path]) -> StepMetrics:
    """Merge the metrics of all evaluation steps.

    Args:
        inputs: artifact name → path.

    Raises:
        BadInput: a file is not such an artifact, or two files contain the same metric.
    """
    step_metrics = [StepMetrics.from_json(read_object(inputs[name]), inputs[name]) for name in METRIC_ARTIFACTS]
    try:
        return StepMetrics.merge(step_metrics)
    except ValueError as error:
        raise BadInput(str(error), where="the evaluation", remedy=RUN_AGAIN) from None


def stopped_early(history: Path) -> bool:
    """Return True if the training ended because validation perplexity no longer improved.

    Args:
        history: the training curve of train_model, one JSON line per point.

    Raises:
        BadInput: the last line is not a JSON object.
    """
    lines = history.read_text("utf-8").splitlines()
    try:
        last = json.loads(lines[-1]) if lines else {}
    except json.JSONDecodeError as error:
        raise BadInput(f"the last line is not JSON: {error}", where=str(history), remedy="run the training again") from None
    return bool(_object(last, str(history)).get("stopped_early"))


@dataclass(frozen=True)
class SliceRow:
    """A row of the `slices` artifact. `key` is "" for all documents; `differences` are new model minus champion."""

    key: str
    documents: int
    metrics: dict[str, Estimate]
    differences: dict[str, Estimate]


def gate_input(step_metrics: StepMetrics, inputs: Mapping[str, Path]) -> GateInput:
    """Return the input of the gates: the metrics, the slices and the comparison with the champion.

    Raises:
        BadInput: an artifact is malformed; the message names the file and the key.
    """
    slices_artifact, where = read_object(inputs["slices"]), str(inputs["slices"])
    rows = [_slice_row(row, f"{where}: slices.{number}") for number, row in enumerate(_list(slices_artifact, "slices", where))]
    min_documents = _count(slices_artifact, "min_documents", where)
    judged = [row for row in rows if row.documents >= min_documents]
    differences = {row.key: row.differences for row in judged if row.differences}
    few = {
        row.key: {"": Shortage(f"documents of {row.key}", min_documents, row.documents)}
        for row in rows
        if row.key and row.documents < min_documents
    }
    comparison, overall = _overall_difference(inputs["comparison"])
    for name, estimate in (overall | _text_differences(inputs["text_metrics"])).items():
        differences.setdefault("", {})[name] = estimate
    unknown = {row.key: _unknown(row.metrics) for row in rows if row.key and row.documents < min_documents}
    return GateInput(
        metrics=step_metrics.metrics,
        intervals={name: Estimate(math.nan, low, high, 1) for name, (low, high) in step_metrics.intervals.items()},
        slices=unknown | _left_out(slices_artifact, where) | {row.key: row.metrics for row in judged if row.key},
        champion=STATES.get(str(comparison.get("state")), "unreadable"),
        differences=differences,
        shortages={**few, "": step_metrics.shortages},
        limited=_widest_gaps(inputs["model_audit"]),
    )


def _widest_gaps(path: Path) -> dict[str, Estimate]:
    """Return the |gap| with the largest upper limit under each measure, by the metric that is this limit. Units are pairs or prompts."""
    widest: dict[str, Estimate] = {}
    for number, value in enumerate(_list(read_object(path), "axes", str(path))):
        where = f"{path}: axes.{number}"
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


def _overall_difference(path: Path) -> tuple[dict[str, Any], dict[str, Estimate]]:
    """Return the comparison, and its overall difference in bits per byte (empty if there is none).

    This difference replaces that of the slice of all documents, which may use other independent units.
    """
    comparison, where = read_object(path), f"{path}: bits_per_byte"
    difference = _object(comparison.get("bits_per_byte") or {}, where).get("difference")
    if not difference:
        return comparison, {}
    return comparison, {"bits_per_byte": _estimate_with_units(difference, _unit(comparison), f"{where}.difference")}


def _text_differences(path: Path) -> dict[str, Estimate]:
    artifact = read_object(path)
    differences = _object(artifact.get("difference") or {}, f"{path}: difference")
    return {name: _estimate_with_units(value, _unit(artifact), f"{path}: difference.{name}") for name, value in differences.items()}


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
