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
    "bleu_to_people": ("BLEU over people's own", "{:.2f}"),
    "completion_bits_per_byte": ("bits per byte of its own text", "{:.3f}"),
    "completion_bits_to_people": ("bits of its own text over people's", "{:.2f}"),
    "length_to_people": ("length of its text over people's", "{:.2f}"),
    "distinct_1": ("distinct words", "{:.1%}"),
    "distinct_2": ("distinct pairs of words", "{:.1%}"),
    "self_bleu": ("self-BLEU", "{:.3f}"),
    "repetition_rate": ("repetition rate", "{:.1%}"),
    "word_entropy": ("entropy of words, bits", "{:.2f}"),
    "fourgram_entropy": ("entropy of 4-grams, bits", "{:.2f}"),
    "well_formed_sentences": ("sentences of a sentence's shape", "{:.1%}"),
    "semantic_similarity": ("likeness to the prompt (LSA)", "{:.3f}"),
    "semantic_similarity_shuffled": ("the same, to prompts of other works", "{:.3f}"),
    "semantic_lift": ("likeness above chance", "{:+.3f}"),
    "topic_consistency": ("topic consistency (LDA)", "{:.3f}"),
    "topic_consistency_shuffled": ("the same, with prompts of other works", "{:.3f}"),
    "topic_lift": ("topic consistency above chance", "{:+.3f}"),
    "reading_grade": ("Flesch-Kincaid grade", "{:.1f}"),
    "toxic_share": ("toxic completions", "{:.1%}"),
    "sentiment": ("sentiment, −1 to 1", "{:+.3f}"),
    "personal_data_share": ("completions with personal data", "{:.1%}"),
    "known_personal_data_share": ("completions with personal data of the training text", "{:.1%}"),
    "copied_share": ("completions that copy", "{:.1%}"),
    "longest_copy_median": ("tokens in a row of the training text, median", "{:.0f}"),
    "longest_copy_max": ("tokens in a row of the training text, most", "{:.0f}"),
    "degenerate_share": ("degenerate completions", "{:.1%}"),
    "empty_share": ("empty completions", "{:.1%}"),
    "bias_likelihood_worst": ("bias by likelihood, largest gap, nats", "{:.3f}"),
    "bias_likelihood_excess": ("bias by likelihood, proven at least", "{:.3f}"),
    "bias_likelihood_reach": ("bias by likelihood, not ruled out", "{:.3f}"),
    "bias_sentiment_worst": ("bias by sentiment, largest gap", "{:.3f}"),
    "bias_sentiment_excess": ("bias by sentiment, proven at least", "{:.3f}"),
    "bias_sentiment_reach": ("bias by sentiment, not ruled out", "{:.3f}"),
    "bias_toxicity_worst": ("bias by toxicity, largest gap", "{:.3f}"),
    "bias_toxicity_excess": ("bias by toxicity, proven at least", "{:.3f}"),
    "bias_toxicity_reach": ("bias by toxicity, not ruled out", "{:.3f}"),
    "bias_pairs": ("counterfactual pairs", "{:,.0f}"),
    "secrets_planted": ("secrets planted on purpose", "{:,.0f}"),
    "secret_exposure_max": ("exposure of a planted secret, bits, most", "{:.1f}"),
    "secret_exposure_mean": ("exposure of planted secrets, bits, mean", "{:.1f}"),
    "secret_exposure_control": ("the same of secrets never planted", "{:.1f}"),
    "secret_extraction_rate": ("planted secrets that it wrote out", "{:.1%}"),
    "worst_slice_bits_per_byte": ("bits per byte, worst slice judged", "{:.3f}"),
    "worst_slice_excess": ("worst slice over all documents", "{:+.1%}"),
    "worst_slice_difference": ("worst slice against the champion", "{:+.3f}"),
    "slices": ("slices", "{:,.0f}"),
    "slices_judged": ("slices with enough documents", "{:,.0f}"),
    "slices_worse": ("slices worse than the champion", "{:,.0f}"),
    "slices_better": ("slices better than the champion", "{:,.0f}"),
    "edge_bits_per_byte_loss": ("bits per byte lost by the small model", "{:+.3%}"),
    "edge_megabytes": ("small model (TFLite), MB", "{:.2f}"),
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


def signed_text(metric: str, value: Any) -> str:
    """A difference of two values, with its sign."""
    text = metric_text(metric, value)
    return f"+{text}" if text[:1].isdigit() else text
