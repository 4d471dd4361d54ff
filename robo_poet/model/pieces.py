"""Piecewise requests for one completion, so that it can be streamed. Pure: the caller runs the model between the pieces.

The noise of a token depends on its position in the text. So a text generated in pieces equals the text of one call.
"""

from dataclasses import replace

from robo_poet.model.completion import Completion, stopped
from robo_poet.model.limits import MAX_LENGTH, StopReason
from robo_poet.model.sampling import Sampling
from robo_poet.model.tokenizer import Tokenizer

CHUNKS = (8, 16, 32)  # tokens per call of a stream: short for a fast first piece, longer later, because each call rereads the text so far
NOTHING = Completion("", [], [], StopReason.LENGTH)  # the completion before the first piece


def next_piece(sampling: Sampling, number: int, written: int) -> Sampling:
    """Return the sampling of piece `number` (from 0) when `written` tokens exist."""
    size = min(sampling.max_new - written, CHUNKS[min(number, len(CHUNKS) - 1)])
    return replace(sampling, max_new=size, min_new=min(size, max(0, sampling.min_new - written)))


def joined(tokenizer: Tokenizer, prompt: int, written: Completion, piece: Completion, sampling: Sampling) -> tuple[Completion, bool]:
    """Append a piece. Return the whole completion and whether it has ended; its reason is valid only then.

    Args:
        tokenizer: the model's tokenizer. All tokens are decoded again, because a character may be split between two pieces.
        prompt: tokens of the prompt, including `<START>`.
    """
    tokens, log_probs = written.tokens + piece.tokens, written.log_probs + piece.log_probs
    more = piece.reason is StopReason.LENGTH and len(tokens) < sampling.max_new
    reason = StopReason.CONTEXT if more and prompt + len(tokens) >= MAX_LENGTH else piece.reason
    completion = stopped(tokenizer, Completion(tokenizer.decode(tokens), tokens, log_probs, reason), sampling)
    return completion, not more or completion.reason is not StopReason.LENGTH
