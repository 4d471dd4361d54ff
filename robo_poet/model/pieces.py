"""A completion asked for in pieces, so that it can be shown while it is written. Pure: who calls the model does so in between.

A token's noise belongs to its position in the text, so what is asked for in pieces is the text that one call would write.
"""

from dataclasses import replace

from robo_poet.model.completion import Completion, stopped
from robo_poet.model.limits import MAX_LENGTH, StopReason
from robo_poet.model.sampling import Sampling
from robo_poet.model.tokenizer import Tokenizer

CHUNKS = (8, 16, 32)  # tokens of the calls of a stream: the first soon, the later ones read what was written fewer times
NOTHING = Completion("", [], [], StopReason.LENGTH)  # what is written before the first piece


def next_piece(sampling: Sampling, number: int, written: int) -> Sampling:
    """How to ask for piece `number`, from 0, once `written` tokens are there."""
    size = min(sampling.max_new - written, CHUNKS[min(number, len(CHUNKS) - 1)])
    return replace(sampling, max_new=size, min_new=min(size, max(0, sampling.min_new - written)))


def joined(words: Tokenizer, prompt: int, written: Completion, piece: Completion, sampling: Sampling) -> tuple[Completion, bool]:
    """All that is written with one piece more, and whether it has ended; only then does its reason mean something.

    Args:
        words: the model's tokenizer. A character may be half in one piece and half in the next, so all is decoded again.
        prompt: tokens of the prompt, `<START>` among them.
    """
    tokens, chances = written.tokens + piece.tokens, written.log_probs + piece.log_probs
    more = piece.reason is StopReason.LENGTH and len(tokens) < sampling.max_new
    reason = StopReason.CONTEXT if more and prompt + len(tokens) >= MAX_LENGTH else piece.reason
    whole = stopped(words, Completion(words.decode(tokens), tokens, chances, reason), sampling)
    return whole, not more or whole.reason is not StopReason.LENGTH
