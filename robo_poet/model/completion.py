"""A completion of a prompt, and its truncation at a stop text (GEN-2). Pure: no model is called here."""

from dataclasses import dataclass

from robo_poet.model.limits import StopReason
from robo_poet.model.sampling import Sampling
from robo_poet.model.tokenizer import Tokenizer


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


def stopped(tokenizer: Tokenizer, written: Completion, sampling: Sampling) -> Completion:
    """Cut `written` after the first stop text that ends behind the minimum length. A stop text may span several tokens."""
    minimum = len(tokenizer.decode(written.tokens[: sampling.min_new])) if sampling.stop else 0
    starts = ((stop, written.text.find(stop, max(0, minimum - len(stop) + 1))) for stop in sampling.stop)
    ends = [position + len(stop) for stop, position in starts if position >= 0]
    if not ends:
        return written
    count = len(written.tokens)
    while count and len(tokenizer.decode(written.tokens[: count - 1])) >= min(ends):
        count -= 1
    return Completion(written.text[: min(ends)], written.tokens[:count], written.log_probs[:count], StopReason.STOP)


def whole(text: str) -> str:
    """Return `text` without an incomplete character at its end: a byte-level model may stop inside a multi-byte character."""
    return text.rstrip("\N{REPLACEMENT CHARACTER}")
