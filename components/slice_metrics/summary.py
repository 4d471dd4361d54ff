"""The slices in a few numbers, for gates and for the Kubeflow UI."""

from collections.abc import Mapping, Sequence
from typing import Any


def summary(records: Sequence[Mapping[str, Any]], min_documents: int) -> dict[str, float | None]:
    """Metrics over the slices of at least `min_documents` documents, without the one of all documents.

    Null where one of them has no number: which slice is the worst is then not known.

    Returns:
        `slices` and `slices_judged`, counts; `worst_slice_bits_per_byte`; `worst_slice_excess`, by what share that is more than of
        all documents. With a champion: `worst_slice_difference`, the largest difference in bits per byte (below 0: better on each
        slice), and `slices_worse` and `slices_better`, counts of verdicts. The worst ones are missing where no slice is judged.
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
