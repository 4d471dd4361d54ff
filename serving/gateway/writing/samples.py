"""Generated samples: text, token texts with probabilities, and the response body. The functions have no side effects."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from robo_poet.model.completion import Completion, without_partial_character
from robo_poet.model.tokenizer import Tokenizer
from serving.gateway.http.exchange import Exchange
from serving.gateway.writing.characters import kept_characters, without_controls
from serving.gateway.writing.job import GenerationJob

REFUSED = "refused"


@dataclass(frozen=True)
class Sample:
    """A sample as the client receives it.

    Attributes:
        text: complete characters without control characters; empty if the content filter refused the sample.
        written: the output of the model; also empty if the sample was refused.
        finish: finish reason: length, end, stop, context or refused.
        rule: the content filter rule that refused the sample, or empty.
    """

    text: str
    written: Completion
    finish: str
    rule: str = ""


def sample_of(written: Completion) -> Sample:
    """Return the sample for a completion that the content filter allows."""
    return Sample(without_controls(without_partial_character(written.text)), written, written.reason.name.lower())


def refused_sample(written: Completion, rule: str) -> Sample:
    """Return the empty sample for a completion that the content filter refuses."""
    return Sample("", Completion("", [], [], written.reason), REFUSED, rule)


def perplexity(log_probs: Sequence[float]) -> float | None:
    """Return exp of the mean negative log-likelihood per token (MON-3). Return None if there are no tokens."""
    return math.exp(min(700.0, -sum(log_probs) / len(log_probs))) if log_probs else None


_UNFINISHED = "\N{REPLACEMENT CHARACTER}"


class TokenText(NamedTuple):
    """A piece of the text: one token, or several tokens that share a character.

    Attributes:
        probability: under the unmodified distribution; for several tokens, the product.
    """

    text: str
    probability: float


def token_texts(words: Tokenizer, written: Completion) -> list[TokenText]:
    """Return the pieces of a completion.

    Joined, they are its text without control characters and without an incomplete character at the end.
    """
    remaining = len(written.text.rstrip(_UNFINISHED))
    pieces: list[TokenText] = []
    pending: list[int] = []
    log_prob_sum = 0.0
    for number, (token, log_prob) in enumerate(zip(written.tokens, written.log_probs, strict=True), 1):
        pending.append(token)
        log_prob_sum += log_prob
        text = words.decode(pending)
        if text.endswith(_UNFINISHED) and number < len(written.tokens):
            continue
        pieces.append(TokenText(text[:remaining], math.exp(min(0.0, log_prob_sum))))
        remaining -= len(text)
        pending, log_prob_sum = [], 0.0
        if remaining <= 0:
            break
    return _without_controls(pieces)


def _without_controls(pieces: list[TokenText]) -> list[TokenText]:
    """Remove control characters. A joiner may depend on the next piece."""
    text = "".join(piece.text for piece in pieces)
    if text == without_controls(text):
        return pieces
    kept = iter(kept_characters(text))
    return [piece._replace(text="".join(character for character in piece.text if next(kept))) for piece in pieces]


def count_sendable(pieces: Sequence[TokenText]) -> int:
    """Return how many of `pieces` can be sent while more follow: those before the start of the last word.

    The content filter then judges complete words only. Part of a word may be another word, or hide one.
    """
    if len(pieces) > _LONGEST:
        return len(pieces) - 1  # whether a joiner at the end of the last piece stays depends on the next one
    return next((number for number in reversed(range(len(pieces))) if pieces[number].text[:1].isspace()), 0)


_LONGEST = 64  # pieces without a space; longer runs are not words and are sent


def answer_body(exchange: Exchange, job: GenerationJob, samples: Sequence[Sample]) -> dict[str, Any]:
    """Return the response body (`schema.GenerateAnswer`)."""
    served, seconds = job.chosen.served, job.generation_seconds
    return {
        "status": "success",
        "generated_text": [sample.text for sample in samples],
        "metadata": {
            "model_version": str(served.number),
            "generation_time_ms": round(seconds * 1000),
            "tokens_generated": sum(len(sample.written.tokens) for sample in samples),
            "perplexity": perplexity([log_prob for sample in samples for log_prob in sample.written.log_probs]),
            "arm": job.chosen.arm,
            "prompt_tokens": job.prompt_tokens,
            "seed": job.seed,
            "finish_reasons": [sample.finish for sample in samples],
        },
        "id": exchange.completion,
        "request_id": exchange.id,
    }


def probabilities(job: GenerationJob, samples: Sequence[Sample]) -> list[list[dict[str, Any]]]:
    """Return the token texts with probabilities of each sample, as JSON values."""
    return [token_json(token_texts(job.chosen.served.tokenizer, sample.written)) for sample in samples]


def token_json(pieces: Sequence[TokenText]) -> list[dict[str, Any]]:
    """Return pieces as JSON values. Empty pieces are left out, and probabilities are rounded to 6 digits."""
    return [{"text": piece.text, "probability": round(piece.probability, 6)} for piece in pieces if piece.text]
