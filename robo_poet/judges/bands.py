"""Words for numbers, to show beside them. They gate nothing: a perplexity means little without its vocabulary."""

from collections.abc import Mapping

PERPLEXITY = ((20.0, "excellent"), (50.0, "good"), (100.0, "acceptable"))  # below; EVAL-1
BLEU = ((0.5, "excellent"), (0.3, "good"))  # above; EVAL-2


def perplexity_band(perplexity: float) -> str:
    """excellent below 20, good below 50, acceptable below 100; else, and for what is no number, poor (EVAL-1)."""
    return next((word for limit, word in PERPLEXITY if perplexity < limit), "poor")


def bleu_band(bleu: float) -> str:
    """excellent above 0.5, good above 0.3; else, and for what is no number, low (EVAL-2). BLEU is from 0 to 1."""
    return next((word for limit, word in BLEU if bleu > limit), "low")


def bands(metrics: Mapping[str, float | None]) -> dict[str, str]:
    """The words for those of `metrics` that have any, by name."""
    words = {"perplexity": perplexity_band, "bleu": bleu_band}
    return {name: word(value) for name, word in words.items() if (value := metrics.get(name)) is not None}
