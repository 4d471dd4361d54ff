"""What TFMA says is held against the table it was given: a wrong ModelSpec is an error, not a number."""

import math
from collections.abc import Sequence

from components.slice_metrics.analysis import Values
from components.slice_metrics.measures import MEASURES
from components.slice_metrics.slicing import Slice
from robo_poet.evaluation.documents import Measured

TOLERANCE = 1e-6


class Disagreement(Exception):
    """A defect of ours: TFMA was asked for something else than what we say it measured."""


def checked(model: str, documents: Sequence[Measured], slices: Sequence[Slice], values: Values) -> Values:
    """`values` of each of `slices`, NaN where a document's number is none.

    A model that fails on a document is not as good as on the others: no number is left out of a mean.

    Raises:
        Disagreement: a value is missing, or is not the ratio of sums to 1e-6; a slice is there that nobody asked for.
    """
    if more := sorted(values.keys() - {one.key for one in slices}):
        raise Disagreement(f"TFMA made a slice that nobody asked for: {more[0]}")
    found: dict[str, dict[str, float]] = {one.key: {} for one in slices}
    for name, measure in MEASURES.items():
        amounts, weights = measure.sums(documents)
        for one in slices:
            ratio = float(amounts[one.rows].sum() / weights[one.rows].sum())
            value = values.get(one.key, {}).get(name, math.nan) if math.isfinite(ratio) else math.nan
            if math.isfinite(ratio) and not math.isclose(value, ratio, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
                raise Disagreement(f"TFMA says {name} {value} of the {model} on {one.key or 'all documents'}, its documents say {ratio}")
            found[one.key][name] = value
    return found
