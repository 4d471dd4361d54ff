"""Held-out likelihood: perplexity, bits per byte, accuracy, and the unigram model's beside them (EVAL-1)."""

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from components.evaluate_model.unigram import unigram_log_probs
from robo_poet.model.load import LoadedModel
from robo_poet.model.score import score

CHUNK = 64  # documents scored at a time


def perplexity(nats: float) -> float:
    """exp of the mean cross-entropy; infinite where a float has no number for it."""
    return math.exp(nats) if nats < 700 else math.inf


def measure_likelihood(
    model: LoadedModel, test: Sequence[str], training: Iterable[str], *, batch: int, say: Callable[[int, int], None]
) -> dict[str, float]:
    """Metrics over all tokens of `test`, `<END>` included and `<START>` not.

    Bits per byte divides by the UTF-8 bytes of the text, so it does not depend on the tokenizer and compares any two models.

    Args:
        training: what the unigram model is counted from.
    """
    tokenizer = model.tokenizer
    unigram = unigram_log_probs((tokenizer.encode_document(text)[1:] for text in training), tokenizer.size)
    nats = baseline = 0.0
    tokens = first = among_five = size = 0
    for at in range(0, len(test), CHUNK):
        texts = test[at : at + CHUNK]
        documents = [tokenizer.encode_document(text) for text in texts]
        size += sum(len(text.encode("utf-8")) for text in texts)
        for ids, result in zip(documents, score(model, documents, batch), strict=True):
            nats -= float(result.log_prob.sum(dtype=np.float64))
            baseline -= float(unigram[ids[1:]].sum())
            tokens += len(result.rank)
            first += int((result.rank == 0).sum())
            among_five += int((result.rank < 5).sum())
        say(min(at + CHUNK, len(test)), len(test))
    bits, unigram_bits = nats / math.log(2) / size, baseline / math.log(2) / size
    return {
        "perplexity": perplexity(nats / tokens),
        "bits_per_byte": bits,
        "token_accuracy": first / tokens,
        "top5_accuracy": among_five / tokens,
        "unigram_perplexity": perplexity(baseline / tokens),
        "unigram_bits_per_byte": unigram_bits,
        "bits_saved_over_unigram": 1.0 - bits / unigram_bits,
        "test_tokens": float(tokens),
        "test_bytes": float(size),
    }
