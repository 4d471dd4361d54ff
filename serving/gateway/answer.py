"""The body of an answer. Pure."""

from collections.abc import Sequence
from typing import Any

from serving.gateway.exchange import Exchange
from serving.gateway.job import Job
from serving.gateway.sample import Sample, perplexity
from serving.gateway.token_texts import TokenText, token_texts


def answer_body(exchange: Exchange, job: Job, samples: Sequence[Sample]) -> dict[str, Any]:
    """As `schema.GenerateAnswer` describes it."""
    served, seconds = job.chosen.served, job.generation_seconds
    return {
        "status": "success",
        "generated_text": [sample.text for sample in samples],
        "metadata": {
            "model_version": served.number,
            "generation_time_ms": round(seconds * 1000, 3),
            "tokens_generated": sum(len(sample.written.tokens) for sample in samples),
            "perplexity": perplexity([chance for sample in samples for chance in sample.written.log_probs]),
            "arm": job.chosen.arm,
            "prompt_tokens": len(job.prompt) - 1,
            "seed": job.seed,
            "finish_reasons": [sample.finish for sample in samples],
        },
        "id": exchange.completion,
        "request_id": exchange.id,
    }


def probabilities(job: Job, samples: Sequence[Sample]) -> list[list[dict[str, Any]]]:
    """Of each sample, the pieces of its text and how likely each was."""
    return [told(token_texts(job.chosen.served.tokenizer, sample.written)) for sample in samples]


def told(pieces: Sequence[TokenText]) -> list[dict[str, Any]]:
    """Pieces as JSON has them."""
    return [{"text": piece.text, "probability": round(piece.probability, 6)} for piece in pieces if piece.text]
