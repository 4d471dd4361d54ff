"""A completion of a prompt: limits, sampling settings, truncation at a stop text, and requests in pieces for streaming (GEN-1, GEN-2).

This module calls no model. The noise of a token depends on its position in the text. So a text generated in pieces equals the text of
one call.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from robo_poet.errors import BadInput
from robo_poet.model.tokenizer import START, Tokenizer

MAX_LENGTH = 512  # tokens, including the prompt
MIN_CONTEXT = 3  # tokens before the first generated token, including `<START>`
MAX_TOP_K = 100
MIN_BEAMS, MAX_BEAMS = 3, 5  # of beam search; one beam means that it is off


class StopReason(IntEnum):
    """Why a completion ended."""

    LENGTH = 0  # the requested length
    END = 1  # the model ended the document
    STOP = 2  # a stop text
    CONTEXT = 3  # prompt and completion reached 512 tokens before the requested length


RANGES = {
    "max_new": (1, MAX_LENGTH), "min_new": (0, MAX_LENGTH), "temperature": (0.1, 2.0), "top_k": (0, MAX_TOP_K), "top_p": (0.1, 1.0),
    "repetition_penalty": (1.0, 1.2), "length_penalty": (0.6, 1.0),
}  # fmt: skip


@dataclass(frozen=True)
class Sampling:
    """Settings of one completion.

    Attributes:
        max_new, min_new: maximum and minimum number of tokens to generate.
        temperature: softmax temperature; lower is less random.
        top_k: sample from the k most likely tokens; 0 is off, 1 is greedy.
        top_p: sample from the most likely tokens that together have this probability.
        repetition_penalty: factor that makes tokens of the text so far less likely; 1 is off.
        stop: texts after which generation stops; the stop text itself is kept.
        banned: texts that are never generated, as one token or as several.
        beams: 1, or 3 to 5 for beam search. In beam search nothing is sampled, so temperature, top_k, top_p and the seed have no effect.
        length_penalty: length penalty of beam search; a higher value favours longer texts.

    Raises:
        BadInput: a value is out of range; the message names the field and the range.
    """

    max_new: int = 100
    min_new: int = 10
    temperature: float = 0.8
    top_k: int = 50
    top_p: float = 0.9
    repetition_penalty: float = 1.0
    stop: tuple[str, ...] = ()
    banned: tuple[str, ...] = ()
    beams: int = 1
    length_penalty: float = 0.6

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:  # also rejects NaN
                raise BadInput(f"{value} is out of range", where=name, remedy=f"give a value from {low} to {high}")
        if self.beams != 1 and not MIN_BEAMS <= self.beams <= MAX_BEAMS:
            remedy = f"give {MIN_BEAMS} to {MAX_BEAMS}, or 1 to switch beam search off"
            raise BadInput(f"{self.beams} is out of range", where="beams", remedy=remedy)
        if self.min_new > self.max_new:
            raise BadInput(
                f"{self.min_new} is more than max_new, {self.max_new}", where="min_new", remedy="lower the minimum or raise the maximum"
            )
        for name in ("stop", "banned"):
            if not all(getattr(self, name)):
                raise BadInput("contains an empty text", where=name, remedy="remove it")


@dataclass(frozen=True)
class Completion:
    """A completion of a prompt.

    Attributes:
        text: without the prompt.
        tokens: token ids, without `<END>`.
        log_probs: log probability of each token in nats, under the unmodified distribution; empty for beam search.
        reason: why it ended.
    """

    text: str
    tokens: list[int]
    log_probs: list[float]
    reason: StopReason


def cut_at_stop(tokenizer: Tokenizer, written: Completion, sampling: Sampling) -> Completion:
    """Cut `written` after the first stop text that ends after the minimum length. A stop text may span several tokens."""
    minimum = len(tokenizer.decode(written.tokens[: sampling.min_new])) if sampling.stop else 0
    starts = ((stop, written.text.find(stop, max(0, minimum - len(stop) + 1))) for stop in sampling.stop)
    ends = [position + len(stop) for stop, position in starts if position >= 0]
    if not ends:
        return written
    count = len(written.tokens)
    while count and len(tokenizer.decode(written.tokens[: count - 1])) >= min(ends):
        count -= 1
    return Completion(written.text[: min(ends)], written.tokens[:count], written.log_probs[:count], StopReason.STOP)


def completes_banned(tokenizer: Tokenizer, written: Completion, banned: Sequence[str]) -> int | None:
    """Return the index of the token that completes the first banned text, or None if the completion contains no banned text."""
    if not any(text in written.text for text in banned):
        return None

    def contains(count: int) -> bool:
        decoded = tokenizer.decode(written.tokens[:count])
        return any(text in decoded for text in banned)

    return bisect_left(range(1, len(written.tokens) + 1), True, key=contains)


def without_partial_character(text: str) -> str:
    """Return `text` without an incomplete character at its end: a byte-level model may stop inside a multi-byte character."""
    return text.rstrip("\N{REPLACEMENT CHARACTER}")


# Tokens per call of a stream: short for a fast first piece, longer later, because each call rereads the text so far.
PIECE_SIZES = (8, 16, 32)
EMPTY = Completion("", [], [], StopReason.LENGTH)  # the completion before the first piece


def next_piece(sampling: Sampling, number: int, written: int) -> Sampling:
    """Return the sampling settings of piece `number` (from 0). The pieces before it have `written` tokens together."""
    size = min(sampling.max_new - written, PIECE_SIZES[min(number, len(PIECE_SIZES) - 1)])
    return replace(sampling, max_new=size, min_new=min(size, max(0, sampling.min_new - written)))


def append_piece(tokenizer: Tokenizer, prompt: int, written: Completion, piece: Completion, sampling: Sampling) -> tuple[Completion, bool]:
    """Append a piece. Return the completion so far, and True if it has ended. The completion's `reason` is valid only if it has ended.

    Args:
        tokenizer: the model's tokenizer. All tokens are decoded again, because a character may be split between two pieces.
        prompt: tokens of the prompt, including `<START>`.
    """
    tokens, log_probs = written.tokens + piece.tokens, written.log_probs + piece.log_probs
    more = piece.reason is StopReason.LENGTH and len(tokens) < sampling.max_new
    reason = StopReason.CONTEXT if more and prompt + len(tokens) >= MAX_LENGTH else piece.reason
    completion = cut_at_stop(tokenizer, Completion(tokenizer.decode(tokens), tokens, log_probs, reason), sampling)
    return completion, not more or completion.reason is not StopReason.LENGTH


def scored_tokens(tokenizer: Tokenizer, text: str) -> list[int]:
    """Return the tokens by which the signature `score` scores a live prompt: from `<START>` on, as many as the model reads."""
    return [START, *tokenizer.encode(text)][:MAX_LENGTH]


def own_log_probs(tokens: Sequence[int], answer: Sequence[float]) -> list[float]:
    """Return the log probabilities, in nats, of a row's tokens after the first, from the answer of a model server to `score`.

    The model server runs the rows of several calls in one batch, and the answer is as long as the longest of them, with zeros at its end.

    Raises:
        ValueError, TypeError: the answer is shorter than the row, or a value is not a number.
    """
    if len(answer) < len(tokens) - 1:
        raise ValueError(f"{len(answer)} log probabilities for {len(tokens)} tokens")
    return [float(log_prob) for log_prob in answer[: len(tokens) - 1]]
