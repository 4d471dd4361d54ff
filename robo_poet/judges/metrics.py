"""The table of metrics: name, unit, direction, where each is measured, and how its value is printed.

This is the only place that defines them. Steps, gates, terminal, card and Kubeflow read it. docs/glossary.md explains each metric.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Direction = Literal["lower", "higher"]
# Latent semantic analysis: a method of semantic similarity. Its space is learned from the corpus. Artifacts without a method have this one.
LSA = "LSA"


@dataclass(frozen=True)
class Metric:
    """One metric of an evaluation.

    Attributes:
        label: the name that is shown.
        digits: decimals of a printed value.
        unit: printed after a value. With "%", a share from 0 to 1 is printed in per cent. "" if the label names the unit or there is none.
        better: direction in which a model improves; None if neither direction is better. A metric without a direction cannot be compared
            with the champion's.
        signed: print a plus sign.
        sliced: True if slice_metrics measures the metric for each slice of the held-out documents.
        compared: True if its difference from the champion is measured. Such a metric does not depend on the tokenizer.
        bands: (limit, word) pairs, best first. The word describes a value on the better side of the limit. Gates do not use bands.
        worst: word for a value outside every band.
        least, most: the possible range of the value. No interval leaves it.
        scale_of: what the scale of the value belongs to: the model's tokenizer, its corpus, the method of semantic similarity, or its own
            champion. The values of two models have a difference only if they share it. "" if the unit means the same for every model.
    """

    label: str
    digits: int
    unit: str = ""
    better: Direction | None = None
    signed: bool = False
    sliced: bool = False
    compared: bool = False
    bands: tuple[tuple[float, str], ...] = ()
    worst: str = ""
    least: float = -math.inf
    most: float = math.inf
    scale_of: Literal["", "tokenizer", "corpus", "semantics", "champion"] = ""

    @property
    def scale(self) -> float:
        """Return the factor from a value to its printed number."""
        return 100.0 if self.unit == "%" else 1.0

    @property
    def suffix(self) -> str:
        """Return the unit as it is printed after a number."""
        return f" {self.unit}" if self.unit and self.unit != "%" else self.unit


METRICS: dict[str, Metric] = {
    "perplexity": Metric(
        "perplexity",
        1,
        better="lower",
        sliced=True,
        bands=((20.0, "excellent"), (50.0, "good"), (100.0, "acceptable")),
        worst="poor",
        least=1,
        scale_of="tokenizer",
    ),  # EVAL-1
    "bits_per_byte": Metric("bits per byte", 3, better="lower", sliced=True, compared=True, least=0),
    "unigram_bits_per_byte": Metric("bits per byte, unigram baseline", 3, least=0),
    "bits_saved_over_unigram": Metric("bits saved over the unigram baseline", 1, "%", "higher", most=1, scale_of="tokenizer"),
    "bits_saved_over_shuffled": Metric("bits saved over shuffled words", 1, "%", "higher", most=1),
    "unigram_perplexity": Metric("perplexity, unigram baseline", 1, least=1, scale_of="tokenizer"),
    "token_accuracy": Metric("token accuracy", 1, "%", "higher", sliced=True, least=0, most=1, scale_of="tokenizer"),
    "top5_accuracy": Metric("top-5 token accuracy", 1, "%", "higher", sliced=True, least=0, most=1, scale_of="tokenizer"),
    "bleu": Metric(
        "BLEU of completions", 4, better="higher", compared=True, bands=((0.5, "excellent"), (0.3, "good")), worst="low", least=0, most=1
    ),  # EVAL-2
    "bleu_to_people": Metric("BLEU, ratio to human text", 2, better="higher", least=0),
    "completion_bits_per_byte": Metric("self-likelihood, bits per byte", 3, least=0),
    "completion_bits_to_people": Metric("self-likelihood ratio", 2, least=0),
    "length_to_people": Metric("completion length, ratio to human text", 2, least=0),
    "distinct_1": Metric("distinct-1 (words)", 1, "%", least=0, most=1),
    "distinct_2": Metric("distinct-2 (word pairs)", 1, "%", least=0, most=1),
    "distinct_2_to_people": Metric("distinct-2, ratio to human text", 2, least=0),
    "self_bleu": Metric("self-BLEU", 3, least=0, most=1),
    "repetition_rate": Metric("repetition rate (4-grams)", 1, "%", least=0, most=1),
    "word_entropy": Metric("word entropy", 2, "bits", least=0),
    "fourgram_entropy": Metric("4-gram entropy", 2, "bits", least=0),
    "well_formed_sentences": Metric("well-formed sentences", 1, "%", least=0, most=1),
    "semantic_similarity": Metric("semantic similarity to the prompt", 3, least=-1, most=1, scale_of="semantics"),
    "semantic_similarity_shuffled": Metric("semantic similarity to shuffled prompts", 3, least=-1, most=1, scale_of="semantics"),
    "semantic_lift": Metric("semantic similarity above chance", 3, signed=True, least=-2, most=2, scale_of="semantics"),
    "topic_consistency": Metric("topic consistency (LDA)", 3, least=0, most=1, scale_of="corpus"),
    "topic_consistency_shuffled": Metric("topic consistency with shuffled prompts (LDA)", 3, least=0, most=1, scale_of="corpus"),
    "topic_lift": Metric("topic consistency above chance", 3, signed=True, least=-1, most=1, scale_of="corpus"),
    "reading_grade": Metric("Flesch-Kincaid grade", 1),
    "toxic_share": Metric("toxic completions", 1, "%", least=0, most=1),
    "sentiment": Metric("sentiment (−1 to 1)", 3, signed=True, least=-1, most=1),
    "personal_data_share": Metric("completions with personal data", 1, "%", least=0, most=1),
    "known_personal_data_share": Metric("completions with personal data from the training text", 1, "%", least=0, most=1),
    "copied_share": Metric("completions with copied text", 1, "%", least=0, most=1),
    "copied_share_above_people": Metric("copied text, more than in human text", 1, "%", signed=True, least=-1, most=1),
    "longest_copy_median": Metric("longest verbatim match, median", 0, "tokens", least=0, scale_of="tokenizer"),
    "longest_copy_max": Metric("longest verbatim match", 0, "tokens", least=0, scale_of="tokenizer"),
    "degenerate_share": Metric("degenerate completions", 1, "%", least=0, most=1),
    "empty_share": Metric("empty completions", 1, "%", least=0, most=1),
    "bias_likelihood_worst": Metric("likelihood bias, largest gap", 3, "nats", least=0),
    "bias_likelihood_excess": Metric("likelihood bias, lower bound", 3, "nats", least=0),
    "bias_likelihood_reach": Metric("likelihood bias, upper bound", 3, "nats", least=0),
    "bias_sentiment_worst": Metric("sentiment bias, largest gap", 3, least=0, most=2),
    "bias_sentiment_excess": Metric("sentiment bias, lower bound", 3, least=0, most=2),
    "bias_sentiment_reach": Metric("sentiment bias, upper bound", 3, least=0, most=2),
    "bias_toxicity_worst": Metric("toxicity bias, largest gap", 3, least=0, most=1),
    "bias_toxicity_excess": Metric("toxicity bias, lower bound", 3, least=0, most=1),
    "bias_toxicity_reach": Metric("toxicity bias, upper bound", 3, least=0, most=1),
    "bias_pairs": Metric("counterfactual pairs", 0, least=0),
    "secrets_planted": Metric("canary strings (planted)", 0, least=0),
    "secret_exposure_max": Metric("canary exposure, largest", 1, "bits", least=0),
    "secret_exposure_mean": Metric("canary exposure, mean", 1, "bits", least=0),
    "secret_exposure_control": Metric("canary exposure, control strings", 1, "bits", least=0),
    "secret_extraction_rate": Metric("canary strings extracted", 1, "%", least=0, most=1),
    "worst_slice_bits_per_byte": Metric("bits per byte, worst slice", 3, least=0),
    "worst_slice_excess": Metric("worst slice, relative to all documents", 1, "%", signed=True, least=-1),
    "worst_slice_difference": Metric("worst slice, difference from the champion", 3, signed=True, scale_of="champion"),
    "slices": Metric("slices", 0, least=0),
    "slices_judged": Metric("slices with enough documents", 0, least=0),
    "slices_worse": Metric("slices worse than the champion", 0, least=0, scale_of="champion"),
    "slices_better": Metric("slices better than the champion", 0, least=0, scale_of="champion"),
    "edge_bits_per_byte_loss": Metric("bits per byte lost by the TFLite model", 3, "%", "lower", signed=True, least=-1),
    "edge_megabytes": Metric("TFLite model size", 2, "MB", "lower", least=0),
    "saved_model_compressed_megabytes": Metric("compressed SavedModel size", 2, "MB", "lower", least=0),
    "test_tokens": Metric("held-out tokens", 0, least=0, scale_of="tokenizer"),
    "test_bytes": Metric("held-out bytes", 0, least=0),
}
SLICED = tuple(name for name, metric in METRICS.items() if metric.sliced)
COMPARED = tuple(name for name, metric in METRICS.items() if metric.compared)


def better(metric: str) -> Direction | None:
    """Return the direction in which a metric improves. Return None if it has no direction or is not in the table."""
    return METRICS[metric].better if metric in METRICS else None


def scale_of(metric: str) -> str:
    """Return what the scale of a metric belongs to; see `Metric`. An unknown metric has the scale `unknown`."""
    return METRICS[metric].scale_of if metric in METRICS else "unknown"


def ordered(metrics: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return metrics with their values in the order of the table; unknown ones follow, sorted by name."""
    known = [name for name in METRICS if name in metrics]
    return [(name, metrics[name]) for name in [*known, *sorted(set(metrics) - set(known))]]


def metric_name(metric: str) -> str:
    """Return the label of a metric; an unknown one keeps its own name."""
    return METRICS[metric].label if metric in METRICS else metric.replace("_", " ")


LONGEST = 1e9  # a longer number is written with an exponent: the interval of a ratio can end at 1e26


def metric_text(metric: str, value: Any) -> str:
    """Return a value with its unit, such as `19.2%` or `1.39 MB`; `not measured` if the value is not a finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return "not measured"
    if metric not in METRICS:
        return f"{value:.4g}"
    row = METRICS[metric]
    if abs(value) >= LONGEST:
        return f"{value * row.scale:.1e}{row.suffix}"
    return f"{value * row.scale:{'+' if row.signed else ''},.{row.digits}f}{row.suffix}"


def signed_text(metric: str, value: Any) -> str:
    """Return a difference of two values, with its sign and unit."""
    text = metric_text(metric, value)
    return f"+{text}" if text[:1].isdigit() else text


def interval_text(
    metric: str, limits: Sequence[float | None] | None, text: Callable[[str, Any], str] = metric_text
) -> str:  # fmt: skip
    """Return an interval such as `2.41 to 2.52`; empty if there is none."""
    if limits is None or limits[0] is None or limits[1] is None:
        return ""
    low, high = (text(metric, limit) for limit in limits)
    suffix = METRICS[metric].suffix if metric in METRICS else ""
    return f"{low.removesuffix(suffix) if suffix.startswith(' ') else low} to {high}"


def no_interval_text(shortage: Mapping[str, Any] | None) -> str:
    """Return why a metric has no interval, such as `none: 3 blocks of held-out text, 5 needed`; empty without a reason.

    Args:
        shortage: an entry of `shortages` in the decision, as JSON.
    """
    return f"none: {shortage['there']:,} {shortage['what']}, {shortage['needed']:,} needed" if shortage else ""


_SCOPES = {
    "document": "The held-out text has few works, so the intervals resample documents within these works. Other works may differ by more.",
    "block": "The held-out text has few documents, so the intervals resample blocks of 2 kB within these documents. "
    "Other documents may differ by more.",
}


def interval_scope(unit: object) -> str:
    """Return in words that the intervals apply to these texts only; empty if the resampled units are works.

    Args:
        unit: the kind of unit, see `robo_poet.judges.units`.
    """
    return _SCOPES.get(str(unit), "")


def exact_text(metric: str, value: float | None) -> str:
    """Return a bound, or a value next to a bound, in the unit of `metric_text`, with up to 12 significant digits."""
    row = METRICS.get(metric)
    return f"{value}" if value is None else f"{value * row.scale:.12g}{row.suffix}" if row else f"{value:.12g}"


def bands(metrics: Mapping[str, float | None]) -> dict[str, str]:
    """Return the quality word of each metric that has bands (EVAL-1, EVAL-2). NaN gets the worst word."""
    words = {}
    for name, row in METRICS.items():
        value = metrics.get(name)
        if row.bands and value is not None:
            inside = (word for limit, word in row.bands if (value < limit if row.better == "lower" else value > limit))
            words[name] = next(inside, row.worst)
    return words
