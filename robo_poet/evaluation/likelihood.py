"""Metrics of held-out likelihood with confidence intervals, computed from the table of document likelihoods (EVAL-1)."""

import math
from collections.abc import Callable, Sequence

from robo_poet.evaluation.documents import Measured
from robo_poet.judges.bootstrap import ratio_estimate
from robo_poet.judges.estimate import Estimate
from robo_poet.judges.units import units

LN2 = math.log(2)
Of = Callable[[Measured], float]
# metric → (numerator, denominator), summed over documents
RATIOS: dict[str, tuple[Of, Of]] = {
    "bits_per_byte": (lambda row: row.nats / LN2, lambda row: row.bytes),
    "token_accuracy": (lambda row: row.first, lambda row: row.tokens),
    "top5_accuracy": (lambda row: row.among_five, lambda row: row.tokens),
    "unigram_bits_per_byte": (lambda row: row.unigram_nats / LN2, lambda row: row.bytes),
}


def likelihood_metrics(rows: Sequence[Measured], seed: int) -> dict[str, Estimate]:
    """Return all likelihood metrics by name.

    Bits per byte divides by the UTF-8 bytes of the text. So it does not depend on the tokenizer, and any two models can be compared.

    Args:
        seed: seed of the bootstrap over units (see `units`).
    """
    grouping = units([row.group for row in rows])

    def estimate(top: Of, bottom: Of) -> Estimate:
        return ratio_estimate(*grouping.sums([top(row) for row in rows], [bottom(row) for row in rows]), seed=seed)

    estimates = {name: estimate(*ratio) for name, ratio in RATIOS.items()}
    estimates["perplexity"] = _mapped(perplexity, estimate(lambda row: row.nats, lambda row: row.tokens))
    estimates["unigram_perplexity"] = _mapped(perplexity, estimate(lambda row: row.unigram_nats, lambda row: row.tokens))
    nats_ratio = estimate(lambda row: row.nats, lambda row: row.unigram_nats)
    estimates["bits_saved_over_unigram"] = Estimate(1 - nats_ratio.value, 1 - nats_ratio.high, 1 - nats_ratio.low, nats_ratio.units)
    return estimates


def perplexity(nats: float) -> float:
    """Return exp of the mean cross-entropy (nats per token); infinite on overflow, 0 on underflow."""
    return math.exp(nats) if nats < 700 else math.inf


def _mapped(increasing: Callable[[float], float], estimate: Estimate) -> Estimate:
    return Estimate(increasing(estimate.value), increasing(estimate.low), increasing(estimate.high), estimate.units)
