"""Generated samples: their text, the texts of their tokens with log probabilities, and the body of the answer. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from robo_poet.model.completion import Completion, without_partial_character
from robo_poet.model.tokenizer import Tokenizer
from serving.gateway.http.exchange import Exchange
from serving.gateway.writing.job import Job, without_controls

REFUSED = "refused"


@dataclass(frozen=True)
class Sample:
    """What was written, as the reader gets it.

    Attributes:
        text: whole characters, without controls; empty where the content filter refused it.
        written: as the model gave it; empty too then.
        finish: why it ended: length, end, stop, context, refused.
        rule: of the content filter, where it refused.
    """

    text: str
    written: Completion
    finish: str
    rule: str = ""


def sample_of(written: Completion) -> Sample:
    """A completion that may be shown."""
    return Sample(without_controls(without_partial_character(written.text)), written, written.reason.name.lower())


def refused_sample(written: Completion, rule: str) -> Sample:
    """A completion that may not."""
    return Sample("", Completion("", [], [], written.reason), REFUSED, rule)


def perplexity(log_probs: Sequence[float]) -> float | None:
    """exp of the mean negative log-likelihood (MON-3); None of no token."""
    return math.exp(min(700.0, -sum(log_probs) / len(log_probs))) if log_probs else None


_UNFINISHED = "\N{REPLACEMENT CHARACTER}"


class TokenText(NamedTuple):
    """A piece of the text: one token, or the few that share a character.

    Attributes:
        probability: under the unmodified distribution; of several tokens, their product.
    """

    text: str
    probability: float


def token_texts(words: Tokenizer, written: Completion) -> list[TokenText]:
    """The pieces of a completion; put together they are its text, without half a character at its end and without controls."""
    left = len(written.text.rstrip(_UNFINISHED))
    found: list[TokenText] = []
    waiting: list[int] = []
    nats = 0.0
    for number, (token, chance) in enumerate(zip(written.tokens, written.log_probs, strict=True), 1):
        waiting.append(token)
        nats += chance
        text = words.decode(waiting)
        if text.endswith(_UNFINISHED) and number < len(written.tokens):
            continue
        found.append(TokenText(without_controls(text[:left]), math.exp(min(0.0, nats))))
        left -= len(text)
        waiting, nats = [], 0.0
        if left <= 0:
            break
    return found


def settled(pieces: Sequence[TokenText]) -> int:
    """How many of `pieces` may be shown while more come: those before the last one that begins a word.

    What is judged and shown is then whole words: the first half of a word may be another word, or hide one.
    """
    if len(pieces) > _LONGEST:
        return len(pieces)
    return next((number for number in reversed(range(len(pieces))) if pieces[number].text[:1].isspace()), 0)


_LONGEST = 64  # pieces without a word's end are no word


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
