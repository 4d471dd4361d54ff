"""Token-by-token generation of one completion, and the stream of its text.

The loop is that of `components/train_model/generation/decode.py`, outside a graph (GEN-1, GEN-2).
Text that was yielded is never changed later.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from robo_poet.errors import BadInput
from robo_poet.model.completion import Sampling
from robo_poet.model.edge import EdgeModel
from robo_poet.model.inputs import banned_tokens
from robo_poet.model.tokenizer import END, PAD, Tokenizer
from serving.edge.sampler import penalise, sample, uniform


def generate_tokens(model: EdgeModel, prompt: Sequence[int], sampling: Sampling, seed: int) -> Iterator[int]:
    """Return an iterator over the tokens that continue `prompt`, each drawn on demand. `<END>` is not among them.

    The noise of a token depends only on the seed and on its position in the whole text, as in the graph. The model is reset first.

    Args:
        prompt: token ids, `<START>` first.
        seed: 64-bit seed.

    Raises:
        BadInput: beam search is requested (it costs several times as much and cannot be streamed), or all
            tokens are banned.
    """
    if sampling.beams > 1:
        raise BadInput("the edge runner does not support beam search", where="beams", remedy="set it to 1")
    tokenizer = model.tokenizer
    mask = np.zeros(model.vocabulary, np.float32)
    mask[banned_tokens(tokenizer, sampling.banned)] = -np.inf
    mask[:END] = mask[tokenizer.size :] = -np.inf
    return _sample_tokens(model, prompt, sampling, seed, mask)


def _sample_tokens(
    model: EdgeModel, prompt: Sequence[int], sampling: Sampling, seed: int, mask: npt.NDArray[np.float32]
) -> Iterator[int]:  # fmt: skip
    stops = set(model.tokenizer.tokens_containing(sampling.stop))
    seen = np.zeros(model.vocabulary, np.bool_)
    seen[list(prompt)] = True
    seen[PAD] = False
    written: list[int] = []
    longest = max((len(text.encode()) for text in sampling.banned), default=1)  # a token has at least one byte
    model.reset()
    for token in prompt[:-1]:
        model.read(token)
    current, may_end = prompt[-1], len(prompt) + sampling.min_new
    for position in range(len(prompt), min(len(prompt) + sampling.max_new, model.max_length)):
        logits = penalise(model.read(current), seen, sampling.repetition_penalty) + mask
        if position < may_end:
            logits[END] = -np.inf
        while True:  # a token that completes a banned text is refused, and another one is drawn
            current = sample(logits, sampling.temperature, sampling.top_k, sampling.top_p, uniform(seed, position))
            if current == END:
                return
            tail = model.tokenizer.decode([*written[-longest:], current])
            if not any(text in tail for text in sampling.banned):
                break
            logits[current] = -np.inf
        written.append(current)
        yield current
        if position >= may_end and current in stops:
            return
        seen[current] = True


_UNFINISHED = "\N{REPLACEMENT CHARACTER}"


def stream_text(tokenizer: Tokenizer, tokens: Iterable[int], stop: Sequence[str] = (), min_tokens: int = 0) -> Iterator[str]:
    """Yield the text of `tokens` in pieces, up to the end of the first stop text. Without a stop text, the pieces are the full decoding.

    Text is held back while its last token ends inside a character, and while its end may be the start of a stop text.

    Args:
        stop: texts after which the stream ends.
        min_tokens: a stop text that ends within this number of tokens is ignored (GEN-2, minimum length).
    """
    text, yielded, stop_from = "", 0, 0
    undecoded: list[int] = []
    for number, token in enumerate(tokens, 1):
        undecoded.append(token)
        piece = tokenizer.decode(undecoded)
        if not piece.endswith(_UNFINISHED):
            text, undecoded = text + piece, []
        if number <= min_tokens:
            stop_from = len(text)
        end = _first_stop_end(text, stop, stop_from)
        if end is not None:
            yield text[yielded:end]
            return
        safe_end = len(text) - _held_back_length(text, stop)
        if safe_end > yielded:
            yield text[yielded:safe_end]
            yielded = safe_end
    text += tokenizer.decode(undecoded)
    rest = text[yielded : _first_stop_end(text, stop, stop_from)]
    if rest:
        yield rest


def _first_stop_end(text: str, stop: Sequence[str], earliest: int) -> int | None:
    """Return the smallest end position after `earliest` of any stop text, or None."""
    matches = ((text.find(stop_text, max(0, earliest - len(stop_text) + 1)), len(stop_text)) for stop_text in stop)
    return min((start + length for start, length in matches if start >= 0), default=None)


def _held_back_length(text: str, stop: Sequence[str]) -> int:
    """Return the length of the longest suffix of `text` that is a proper prefix of a stop text."""
    return max((n for stop_text in stop for n in range(1, len(stop_text)) if text.endswith(stop_text[:n])), default=0)
