"""Reads the artifacts of the evaluation steps as the input of the gates."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from robo_poet.errors import BadInput, read_object
from robo_poet.evaluation.step_metrics import StepMetrics
from robo_poet.judges.estimate import Estimate, GateInput
from robo_poet.judges.metrics import SLICED

STATES: dict[str, Literal["none", "measured"]] = {"none": "none", "measured": "measured"}
MEASURING = ("evaluation", "text_metrics", "model_audit", "slices")  # artifacts that contain metrics


def read_measures(inputs: Mapping[str, Path]) -> StepMetrics:
    """Merge the metrics of all evaluation steps.

    Args:
        inputs: artifact name → path.

    Raises:
        BadInput: a file is not such an artifact, or two files contain the same metric.
    """
    step_measures = [StepMetrics.of_json(read_object(inputs[name]), inputs[name]) for name in MEASURING]
    try:
        return StepMetrics.together(step_measures)
    except ValueError as error:
        raise BadInput(str(error), where="the evaluation", remedy="run the evaluation again") from None


def measurements(measures: StepMetrics, inputs: Mapping[str, Path]) -> GateInput:
    """Return the input of the gates: the metrics, the slices and the comparison with the champion."""
    slices_artifact = read_object(inputs["slices"])
    min_documents = int(slices_artifact.get("min_documents") or 0)
    judged = [
        slice_row
        for slice_row in slices_artifact.get("slices", [])
        if isinstance(slice_row, dict) and int(slice_row.get("documents") or 0) >= min_documents
    ]
    comparison = read_object(inputs["comparison"])
    differences = {
        slice_row["key"]: _estimates(slice_row.get("difference"), slice_row) for slice_row in judged if slice_row.get("difference")
    }
    overall = comparison.get("bits_per_byte", {}).get("difference")
    if overall:  # from compare_champion; it replaces the slices' value, which may use other independent units
        differences.setdefault("", {})["bits_per_byte"] = _estimate(overall, int(overall.get("units") or 0))
    for name, difference in (read_object(inputs["text_metrics"]).get("difference") or {}).items():
        differences.setdefault("", {})[name] = _estimate(difference, int(difference.get("units") or 0))
    return GateInput(
        metrics=measures.metrics,
        intervals={name: Estimate(math.nan, low, high, 1) for name, (low, high) in measures.intervals.items()},
        slices=_left_out(slices_artifact)
        | {slice_row["key"]: _estimates(slice_row.get("metrics"), slice_row) for slice_row in judged if slice_row.get("key")},
        champion=STATES.get(str(comparison.get("state")), "unreadable"),
        differences=differences,
    )


def _left_out(slices_artifact: Mapping[str, Any]) -> dict[str, dict[str, Estimate]]:
    """Return the slices that are not judged, as unknown and not as passed.

    These are slices with too few documents, and slices beyond the limit on their number.
    """
    unknown: dict[str, dict[str, Estimate]] = {}
    for slice_row in slices_artifact.get("slices", []):
        if slice_row.get("key") and int(slice_row.get("documents") or 0) < int(slices_artifact.get("min_documents") or 0):
            values = {name: value.get("value") for name, value in slice_row["metrics"].items()}
            unknown[slice_row["key"]] = {name: _estimate({"value": value}, 1) for name, value in values.items()}
    for dimension in slices_artifact.get("left_out", []):
        key = ",".join(f"{column}=({dimension['slices']} more)" for column in sorted(dimension["columns"]))
        unknown[key] = {name: _estimate({}, 0) for name in SLICED}
    return unknown


def _estimates(values: Any, slice_row: Mapping[str, Any]) -> dict[str, Estimate]:
    units = int(slice_row.get("works" if slice_row.get("unit") == "work" else "documents") or 0)
    return {name: _estimate(estimate, units) for name, estimate in (values or {}).items()}


def _estimate(numbers: Mapping[str, float | None], units: int) -> Estimate:
    """Return an estimate. A null value becomes NaN, a null bound an infinite one."""
    value, low, high = (numbers.get(name) for name in ("value", "low", "high"))
    return Estimate(
        math.nan if value is None else value, -math.inf if low is None else low, math.inf if high is None else high, units
    )  # fmt: skip
