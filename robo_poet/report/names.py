"""How a metric is called and written for people: one table for the scorecard, the report and the Markdown."""

import math
from collections.abc import Mapping
from typing import Any

# metric → (name, format)
METRICS = {
    "perplexity": ("perplexity", "{:.1f}"),
    "bits_per_byte": ("bits per byte", "{:.3f}"),
    "unigram_bits_per_byte": ("bits per byte, unigram model", "{:.3f}"),
    "bits_saved_over_unigram": ("bits saved over unigram", "{:.1%}"),
    "unigram_perplexity": ("perplexity, unigram model", "{:.1f}"),
    "token_accuracy": ("token accuracy", "{:.1%}"),
    "top5_accuracy": ("top-5 accuracy", "{:.1%}"),
    "bleu": ("BLEU of continuations", "{:.4f}"),
    "edge_bits_per_byte_loss": ("bits per byte lost on the edge", "{:+.3%}"),
    "edge_megabytes": ("edge model, MB", "{:.2f}"),
    "saved_model_compressed_megabytes": ("SavedModel compressed, MB", "{:.2f}"),
    "test_tokens": ("held-out tokens", "{:,.0f}"),
    "test_bytes": ("held-out bytes", "{:,.0f}"),
}


def ordered(metrics: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Metrics with their values in the order of the table above, others behind them."""
    known = [name for name in METRICS if name in metrics]
    return [(name, metrics[name]) for name in [*known, *sorted(set(metrics) - set(known))]]


def metric_name(metric: str) -> str:
    """The name people read; an unknown metric keeps its own."""
    return METRICS.get(metric, (metric.replace("_", " "), ""))[0]


def metric_text(metric: str, value: Any) -> str:
    """The value as people read it; what is not a number says so."""
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return "not measured"
    return METRICS.get(metric, ("", "{:.4g}"))[1].format(value)
