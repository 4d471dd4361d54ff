"""The records of the `slices` artifact: metrics of a slice with intervals, the difference from the champion, and a summary."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from components.slice_metrics.analysis import RATIO_METRICS, Array, Values
from components.slice_metrics.slicing import Slice
from robo_poet.evaluation.likelihood import DocumentLikelihood
from robo_poet.judges.estimate import Estimate
from robo_poet.judges.intervals import ratio_estimate
from robo_poet.judges.units import units
from robo_poet.settings.evaluation import SlicesSettings

DIGITS = 6
COMPARED = "bits_per_byte"  # the only metric that does not depend on the tokenizer, so the only one that is comparable between models
Interval = Callable[[Array, Array], Estimate]


def record(
    one: Slice, ours: Sequence[DocumentLikelihood], theirs: Sequence[DocumentLikelihood] | None, ours_by: Values, theirs_by: Values,
    settings: SlicesSettings, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Return the record of one slice in the `slices` artifact.

    Intervals are over works, because documents of one work are not independent. With fewer than `min_works` works they are over
    documents (see `unit`) and hold for these works only.

    Args:
        ours, theirs: all documents as measured with the new model and with the champion, in the same order.
        ours_by, theirs_by: point values by slice and metric.
    """
    mine = [ours[row] for row in one.rows]
    works = [document.group for document in mine]
    over = units(works, fewest=settings.min_works)
    bootstrap = partial(ratio_estimate, resamples=settings.resamples, seed=seed)

    def interval(amounts: Array, weights: Array) -> Estimate:
        return bootstrap(*over.sums(amounts, weights))

    said: dict[str, Any] = {
        "slice": one.values, "key": one.key, "documents": len(mine), "works": len(set(works)), "unit": over.name,
        "bytes": sum(document.bytes for document in mine), "metrics": _metrics(mine, ours_by[one.key], interval),
        "champion": None, "difference": None, "verdict": None,
    }  # fmt: skip
    if theirs is not None:
        other = [theirs[row] for row in one.rows]
        said["champion"] = _metrics(other, theirs_by[one.key], interval)
        said["difference"] = {COMPARED: _difference(mine, other, ours_by[one.key], theirs_by[one.key], interval)}
        said["verdict"] = _verdict(said["difference"][COMPARED]) if len(mine) >= settings.min_documents else "unknown"
    return said


def _metrics(documents: Sequence[DocumentLikelihood], values: Mapping[str, float], interval: Interval) -> dict[str, Any]:
    return {name: _estimate(values[name], interval, *one.sums(documents), one.shown) for name, one in RATIO_METRICS.items()}


def _difference(
    ours: Sequence[DocumentLikelihood],
    theirs: Sequence[DocumentLikelihood],
    mine: Mapping[str, float],
    other: Mapping[str, float],
    interval: Interval,
) -> dict[str, float | None]:
    """Return the new model's value minus the champion's; below 0 is better. Paired, because both score the same documents."""
    (amounts, weights), (theirs_amounts, _) = (RATIO_METRICS[COMPARED].sums(documents) for documents in (ours, theirs))
    return _estimate(mine[COMPARED] - other[COMPARED], interval, amounts - theirs_amounts, weights)


def _estimate(
    value: float, interval: Interval, amounts: Array, weights: Array, shown: Callable[[float], float] = float
) -> dict[str, float | None]:
    """Return the value with its interval. Non-finite numbers become None."""
    if not np.isfinite(amounts).all():
        return {"value": None, "low": None, "high": None}
    limits = interval(amounts, weights)
    said = {"value": shown(value), "low": shown(limits.low), "high": shown(limits.high)}
    # With one infinite bound there is no interval: exp(-inf) is 0, which was not measured as a bound.
    known = math.isfinite(limits.low) and math.isfinite(limits.high)
    return {name: round(x, DIGITS) if math.isfinite(x) and (known or name == "value") else None for name, x in said.items()}


def _verdict(difference: Mapping[str, float | None]) -> str:
    """Return the verdict on a difference: "better", "worse", "not told apart" (no significant difference) or "unknown"."""
    low, high = difference["low"], difference["high"]
    if low is None or high is None:
        return "unknown"
    return "better" if high < 0 else "worse" if low > 0 else "not told apart"


def summary(records: Sequence[Mapping[str, Any]], min_documents: int) -> dict[str, float | None]:
    """Return metrics over the judged slices: those with at least `min_documents` documents, except the slice of all documents.

    Args:
        records: the records of all slices; the first is the slice of all documents.

    Returns:
        - `slices`, `slices_judged`: counts.
        - `worst_slice_bits_per_byte`: the largest value.
        - `worst_slice_excess`: its relative increase over the value of all documents; 0.1 is 10 % more.
        - `worst_slice_difference` (with a champion): the largest difference in bits per byte; below 0, each slice is better.
        - `slices_worse`, `slices_better` (with a champion): counts of verdicts.

        The worst values are missing if no slice is judged. They are None if one judged slice has no value.
    """
    overall, cut = records[0], records[1:]
    judged = [one for one in cut if one["documents"] >= min_documents]
    found: dict[str, float | None] = {"slices": len(cut), "slices_judged": len(judged)}
    if judged:
        worst, all_of_it = _largest([one["metrics"] for one in judged]), overall["metrics"]["bits_per_byte"]["value"]
        found["worst_slice_bits_per_byte"] = worst
        found["worst_slice_excess"] = round(worst / all_of_it - 1, 6) if worst is not None and all_of_it else None
    if overall["champion"] is not None:
        if judged:
            found["worst_slice_difference"] = _largest([one["difference"] for one in judged])
        found |= {f"slices_{verdict}": sum(one["verdict"] == verdict for one in judged) for verdict in ("worse", "better")}
    return found


def _largest(metrics: Sequence[Mapping[str, Any]]) -> float | None:
    values = [one["bits_per_byte"]["value"] for one in metrics]
    return None if None in values else max(values)
