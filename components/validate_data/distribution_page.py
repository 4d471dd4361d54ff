"""The distributions of a corpus as data for charts, with those of the baseline beside them."""

from collections.abc import Sequence
from typing import Any

from components.validate_data.drift import Distance, bin_text
from robo_poet.features.distributions import MISSING, FeatureCounts
from robo_poet.features.features import FEATURES

MOST_CATEGORIES = 8  # of a feature in a chart


def distribution_charts(corpus: FeatureCounts, baseline: FeatureCounts | None, drifts: Sequence[Distance]) -> list[dict[str, Any]]:
    """Return one chart per feature that any document has: first the features that drifted, then the others.

    Returns:
        Each has `label`, `unit`, `kind` (`number` or `category`), `verdict`, and `bins`: text, share of this corpus, and share of the
        baseline (None without one). Empty bins between two others are included, those at the ends are not.
    """
    verdicts = {row.feature: row.verdict for row in drifts}
    charts = []
    for name, feature in FEATURES.items():
        shares, before = corpus.shares(name), baseline.shares(name) if baseline else {}
        keys = [*dict.fromkeys([*shares, *before])]
        if set(keys) <= {MISSING}:
            continue
        if feature.edges:
            edges = [f"{edge:.8g}" for edge in feature.edges]
            numbers = [edges.index(key) for key in keys if key != MISSING]
            keys = edges[min(numbers) : max(numbers) + 1] + [MISSING] * (MISSING in keys)
        else:
            keys = sorted(keys, key=lambda key: -max(shares.get(key, 0), before.get(key, 0)))[:MOST_CATEGORIES]
        bins = [
            {"text": bin_text(feature, key), "share": shares.get(key, 0.0), "baseline": before.get(key, 0.0) if baseline else None}
            for key in keys
        ]
        kind = "number" if feature.edges else "category"
        charts.append({"label": feature.label, "unit": feature.unit, "kind": kind, "verdict": verdicts.get(name, ""), "bins": bins})
    return sorted(charts, key=lambda chart: chart["verdict"] not in ("warn", "fail", "ignored"))
