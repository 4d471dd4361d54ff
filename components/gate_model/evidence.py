"""What the steps of evaluation have measured, as the judges take it."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from robo_poet.errors import BadInput
from robo_poet.evaluation.measures import Measures
from robo_poet.json_input import read_object
from robo_poet.judges.estimate import Estimate
from robo_poet.judges.measurements import Measurements
from robo_poet.judges.metrics import SLICED

STATES: dict[str, Literal["none", "measured"]] = {"none": "none", "measured": "measured"}
MEASURING = ("evaluation", "text_metrics", "model_audit", "slices")  # artifacts with metrics of their own


def read_measures(inputs: Mapping[str, Path]) -> Measures:
    """The metrics of all steps together.

    Raises:
        BadInput: a file is no such artifact, or two have measured the same.
    """
    parts = [Measures.of_json(read_object(inputs[name]), inputs[name]) for name in MEASURING]
    try:
        return Measures.together(parts)
    except ValueError as error:
        raise BadInput(str(error), where="the evaluation", remedy="run the evaluation again") from None


def measurements(measures: Measures, inputs: Mapping[str, Path]) -> Measurements:
    """The same, with the slices and the comparison with the champion."""
    found = read_object(inputs["slices"])
    fewest = int(found.get("min_documents") or 0)
    cut = [one for one in found.get("slices", []) if isinstance(one, dict) and int(one.get("documents") or 0) >= fewest]
    comparison = read_object(inputs["comparison"])
    differences = {one["key"]: _estimates(one.get("difference"), one) for one in cut if one.get("difference")}
    overall = comparison.get("bits_per_byte", {}).get("difference")
    if overall:  # the judge's own, which differs from that of the slices in what it takes as independent
        differences.setdefault("", {})["bits_per_byte"] = _estimate(overall, int(overall.get("units") or 0))
    for name, one in (read_object(inputs["text_metrics"]).get("difference") or {}).items():
        differences.setdefault("", {})[name] = _estimate(one, int(one.get("units") or 0))
    return Measurements(
        metrics=measures.metrics,
        intervals={name: Estimate(math.nan, low, high, 1) for name, (low, high) in measures.intervals.items()},
        slices=_left_out(found) | {one["key"]: _estimates(one.get("metrics"), one) for one in cut if one.get("key")},
        champion=STATES.get(str(comparison.get("state")), "unreadable"),
        differences=differences,
    )


def _left_out(found: Mapping[str, Any]) -> dict[str, dict[str, Estimate]]:
    """What nobody judges is unknown, not fine: slices of too few documents, and those beyond the number that is measured."""
    unknown: dict[str, dict[str, Estimate]] = {}
    for one in found.get("slices", []):
        if one.get("key") and int(one.get("documents") or 0) < int(found.get("min_documents") or 0):
            values = {name: value.get("value") for name, value in one["metrics"].items()}
            unknown[one["key"]] = {name: _estimate({"value": value}, 1) for name, value in values.items()}
    for one in found.get("left_out", []):
        key = ",".join(f"{column}=({one['slices']} more)" for column in sorted(one["columns"]))
        unknown[key] = {name: _estimate({}, 0) for name in SLICED}
    return unknown


def _estimates(found: Any, one: Mapping[str, Any]) -> dict[str, Estimate]:
    units = int(one.get("works" if one.get("unit") == "work" else "documents") or 0)
    return {name: _estimate(value, units) for name, value in (found or {}).items()}


def _estimate(found: Mapping[str, float | None], units: int) -> Estimate:
    """Null is a value that is no number, or a limit that there is none of."""
    value, low, high = (found.get(name) for name in ("value", "low", "high"))
    return Estimate(
        math.nan if value is None else value, -math.inf if low is None else low, math.inf if high is None else high, units
    )  # fmt: skip
