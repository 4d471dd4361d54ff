"""A continuation of a text, and where a stop text ends it (GEN-2). Pure: no model is called here."""

from dataclasses import dataclass

from robo_poet.model.limits import StopReason
from robo_poet.model.sampling import Sampling
from robo_poet.model.tokenizer import Tokenizer


@dataclass(frozen=True)
class Completion:
    """A continuation.

    Attributes:
        text: without the prompt.
        tokens: its ids, `<END>` left out.
        log_probs: nats a token under the unmodified probabilities; none of beam search.
        reason: why it ended.
    """

    text: str
    tokens: list[int]
    log_probs: list[float]
    reason: StopReason


def stopped(words: Tokenizer, written: Completion, sampling: Sampling) -> Completion:
    """`written` up to the end of the first stop text behind the least length: also of one that no single token holds."""
    least = len(words.decode(written.tokens[: sampling.min_new])) if sampling.stop else 0
    starts = ((stop, written.text.find(stop, max(0, least - len(stop) + 1))) for stop in sampling.stop)
    ends = [at + len(stop) for stop, at in starts if at >= 0]
    if not ends:
        return written
    count = len(written.tokens)
    while count and len(words.decode(written.tokens[: count - 1])) >= min(ends):
        count -= 1
    return Completion(written.text[: min(ends)], written.tokens[:count], written.log_probs[:count], StopReason.STOP)


def whole(text: str) -> str:
    """`text` without half a character at its end: a byte-level model may stop, or be stopped, within one."""
    return text.rstrip("\N{REPLACEMENT CHARACTER}")
