"""The records of the `slices` artifact: metrics of a slice with intervals, the difference from the champion, and a summary."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from components.slice_metrics.analysis import RATIO_METRICS, Array, Values
from components.slice_metrics.slicing import Slice
from robo_poet.evaluation.likelihood import DocumentLikelihood, unit_rows
from robo_poet.judges.estimate import Estimate
from robo_poet.judges.intervals import ratio_estimate
from robo_poet.judges.metrics import METRICS
from robo_poet.settings.evaluation import SlicesSettings

DIGITS = 6
COMPARED = "bits_per_byte"  # the only metric that does not depend on the tokenizer, so the only one that is comparable between models
Interval = Callable[[Array, Array, float, float], Estimate]


def record(
    slice_: Slice, ours: Sequence[DocumentLikelihood], theirs: Sequence[DocumentLikelihood] | None,
    our_values: Values, champion_values: Values, settings: SlicesSettings, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Return the record of one slice in the `slices` artifact.

    The units of the intervals are works, because documents of one work are not independent. If there are fewer than `min_works` works, the
    units are documents (see `unit`), and the intervals apply only to these works.

    Args:
        ours, theirs: all documents as measured with the new model and with the champion, in the same order.
        our_values, champion_values: point values by slice and metric.
    """
    new_documents = [ours[row] for row in slice_.rows]
    works = [document.group for document in new_documents]
    champion_documents = [theirs[row] for row in slice_.rows] if theirs is not None else None
    tables = [new_documents] if champion_documents is None else [new_documents, champion_documents]
    interval_units, parts = unit_rows(*tables, fewest=settings.min_works)
    bootstrap = partial(ratio_estimate, resamples=settings.resamples, seed=seed)

    def interval(amounts: Array, weights: Array, least: float, most: float) -> Estimate:
        return bootstrap(*interval_units.sums(amounts, weights), least=least, most=most)

    result: dict[str, Any] = {
        "slice": slice_.values, "key": slice_.key, "documents": len(new_documents), "works": len(set(works)), "unit": interval_units.name,
        "units": int(interval_units.of.max(initial=-1)) + 1,
        "bytes": sum(document.bytes for document in new_documents), "metrics": _metrics(parts[0], our_values[slice_.key], interval),
        "champion": None, "difference": None, "verdict": None,
    }  # fmt: skip
    if champion_documents is not None:
        result["champion"] = _metrics(parts[1], champion_values[slice_.key], interval)
        result["difference"] = {COMPARED: _difference(parts[0], parts[1], our_values[slice_.key], champion_values[slice_.key], interval)}
        result["verdict"] = _verdict(result["difference"][COMPARED]) if len(new_documents) >= settings.min_documents else "unknown"
    return result


def _metrics(documents: Sequence[DocumentLikelihood], values: Mapping[str, float], interval: Interval) -> dict[str, Any]:
    estimates = {}
    for name, metric in RATIO_METRICS.items():
        limits = metric.inverse(METRICS[name].least), metric.inverse(METRICS[name].most)
        estimates[name] = _estimate(values[name], interval, *metric.sums(documents), metric.transform, limits)
    return estimates


def _difference(
    ours: Sequence[DocumentLikelihood],
    theirs: Sequence[DocumentLikelihood],
    our_values: Mapping[str, float],
    their_values: Mapping[str, float],
    interval: Interval,
) -> dict[str, float | None]:
    """Return the new model's value minus the champion's; below 0 is better. The interval is paired: both score the same documents."""
    (amounts, weights), (theirs_amounts, _) = (RATIO_METRICS[COMPARED].sums(documents) for documents in (ours, theirs))
    return _estimate(our_values[COMPARED] - their_values[COMPARED], interval, amounts - theirs_amounts, weights)


def _estimate(
    value: float, interval: Interval, amounts: Array, weights: Array, transform: Callable[[float], float] = float,
    limits: tuple[float, float] = (-math.inf, math.inf),
) -> dict[str, float | None]:  # fmt: skip
    """Return the value with its interval. Non-finite numbers become None.

    Args:
        limits: the possible range of the ratio, before `transform`. A difference has none.
    """
    if not np.isfinite(amounts).all():
        return {"value": None, "low": None, "high": None}
    bounds = interval(amounts, weights, *limits)
    numbers = {"value": transform(value), "low": transform(bounds.low), "high": transform(bounds.high)}
    # If one bound is infinite, there is no interval: exp(-inf) is 0, which is not a measured bound.
    bounded = math.isfinite(bounds.low) and math.isfinite(bounds.high)
    return {
        name: round(number, DIGITS) if math.isfinite(number) and (bounded or name == "value") else None for name, number in numbers.items()
    }


def _verdict(difference: Mapping[str, float | None]) -> str:
    """Return the verdict on a difference: "better", "worse", "no significant difference" or "unknown"."""
    low, high = difference["low"], difference["high"]
    if low is None or high is None:
        return "unknown"
    return "better" if high < 0 else "worse" if low > 0 else "no significant difference"


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

        The worst values are missing if no slice is judged. They are None if at least one judged slice has no value.
    """
    overall, slices = records[0], records[1:]
    judged = [row for row in slices if row["documents"] >= min_documents]
    metrics: dict[str, float | None] = {"slices": len(slices), "slices_judged": len(judged)}
    if judged:
        worst, overall_value = _largest([row["metrics"] for row in judged]), overall["metrics"]["bits_per_byte"]["value"]
        metrics["worst_slice_bits_per_byte"] = worst
        metrics["worst_slice_excess"] = round(worst / overall_value - 1, 6) if worst is not None and overall_value else None
    if overall["champion"] is not None:
        if judged:
            metrics["worst_slice_difference"] = _largest([row["difference"] for row in judged])
        metrics |= {f"slices_{verdict}": sum(row["verdict"] == verdict for row in judged) for verdict in ("worse", "better")}
    return metrics


def _largest(metrics: Sequence[Mapping[str, Any]]) -> float | None:
    values = [values_by_metric["bits_per_byte"]["value"] for values_by_metric in metrics]
    return None if None in values else max(values)
