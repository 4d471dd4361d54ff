"""Text from an exported model: one call a batch of completions (GEN-1, GEN-2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from robo_poet.errors import BadInput
from robo_poet.model.edge import EdgeModel
from robo_poet.model.limits import MAX_LENGTH, MIN_PROMPT, StopReason
from robo_poet.model.load import LoadedModel
from robo_poet.model.sampling import Sampling
from robo_poet.model.tokenizer import PAD, START

CHUNKS = (8, 16, 32)  # tokens of the calls of a stream: the first soon, the later ones read what was written fewer times


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


def encode_prompt(model: LoadedModel | EdgeModel, text: str) -> list[int]:
    """Ids of a prompt, behind `<START>`.

    Raises:
        BadInput: fewer than 3 tokens, or no room left for a continuation.
    """
    ids = model.tokenizer.encode(text)
    room = int(model.manifest["max_length"]) - 2
    if len(ids) < MIN_PROMPT:
        raise BadInput(f"{len(ids)} tokens are too few", where="prompt", remedy=f"give at least {MIN_PROMPT}, a few words")
    if len(ids) > room:
        raise BadInput(f"{len(ids)} tokens are too many", where="prompt", remedy=f"give at most {room}")
    return [START, *ids]


def generate(
    model: LoadedModel, prompts: Sequence[Sequence[int]], sampling: Sampling | Sequence[Sampling], seeds: Sequence[int]
) -> list[Completion]:
    """Continue each prompt (ids from `encode_prompt`); row i draws its noise from `seeds[i]` alone, whatever its batch.

    Args:
        sampling: for all rows, or one a row; beam search for all rows or for none.
    """
    each = [sampling] * len(prompts) if isinstance(sampling, Sampling) else list(sampling)
    beams = [one.beams > 1 for one in each]
    if any(beams) != all(beams):
        raise BadInput("some rows ask for beam search and some do not", where="beams", remedy="ask in two calls")
    inputs = _inputs(model, prompts, each)
    if all(beams):
        result = model.beam_search(
            **inputs,
            beams=np.asarray([one.beams for one in each], np.int32),
            length_penalty=np.asarray([one.length_penalty for one in each], np.float32),
        )
    else:
        result = model.generate(
            **inputs,
            temperature=np.asarray([one.temperature for one in each], np.float32),
            top_k=np.asarray([one.top_k for one in each], np.int32),
            top_p=np.asarray([one.top_p for one in each], np.float32),
            seed=np.asarray(seeds, np.int64),
        )
    tokens, lengths, reasons = (result[name].numpy() for name in ("tokens", "length", "stop_reason"))
    chances = result["log_prob"].numpy() if "log_prob" in result else np.zeros((len(prompts), 0))
    completions = []
    for row, one in enumerate(each):
        ids = tokens[row, : lengths[row]].tolist()
        written = Completion(model.tokenizer.decode(ids), ids, chances[row, : lengths[row]].tolist(), StopReason(int(reasons[row])))
        completions.append(_stopped(model, written, one))
    return completions


def stream(model: LoadedModel, prompt: Sequence[int], sampling: Sampling, seed: int) -> Iterator[Completion]:
    """The same completion bit by bit: each time all that is written so far; the last one has the reason.

    A token's noise belongs to its position in the text, so what is asked for in pieces is the text that one call would write.
    Half a character, or the beginning of a stop text, may still become another one: a reader shows what no longer changes.
    """
    if sampling.beams > 1:  # the best text is known at its end only
        yield generate(model, [prompt], sampling, [seed])[0]
        return
    tokens: list[int] = []
    chances: list[float] = []
    for number in range(sampling.max_new):
        left = sampling.max_new - len(tokens)
        size = min(left, CHUNKS[min(number, len(CHUNKS) - 1)])
        asked = replace(sampling, max_new=size, min_new=min(size, max(0, sampling.min_new - len(tokens))))
        part = generate(model, [[*prompt, *tokens]], asked, [seed])[0]
        tokens += part.tokens
        chances += part.log_probs
        more = part.reason is StopReason.LENGTH and len(tokens) < sampling.max_new
        full = more and len(prompt) + len(tokens) >= MAX_LENGTH
        reason = StopReason.CONTEXT if full else part.reason
        written = _stopped(model, Completion(model.tokenizer.decode(tokens), list(tokens), list(chances), reason), sampling)
        yield written
        if written.reason is not StopReason.LENGTH or not more:
            return


def _inputs(model: LoadedModel, prompts: Sequence[Sequence[int]], each: Sequence[Sampling]) -> dict[str, Any]:
    words = model.tokenizer
    return {
        "prompt": _padded(prompts),
        "prompt_length": np.asarray([len(prompt) for prompt in prompts], np.int32),
        "max_new": np.asarray([one.max_new for one in each], np.int32),
        "min_new": np.asarray([one.min_new for one in each], np.int32),
        "repetition_penalty": np.asarray([one.repetition_penalty for one in each], np.float32),
        "stop_tokens": _padded([words.holding(one.stop) for one in each]),
        "banned_tokens": _padded([words.holding(one.banned) for one in each]),
    }


def _padded(rows: Sequence[Sequence[int]]) -> Any:
    padded = np.full((len(rows), max(1, *(len(row) for row in rows))), PAD, np.int32)
    for number, row in enumerate(rows):
        padded[number, : len(row)] = row
    return padded


def _stopped(model: LoadedModel, written: Completion, sampling: Sampling) -> Completion:
    """`written` up to the end of the first stop text behind the least length: also of one that no single token holds."""
    least = len(model.tokenizer.decode(written.tokens[: sampling.min_new])) if sampling.stop else 0
    starts = ((stop, written.text.find(stop, max(0, least - len(stop) + 1))) for stop in sampling.stop)
    ends = [at + len(stop) for stop, at in starts if at >= 0]
    if not ends:
        return written
    count = len(written.tokens)
    while count and len(model.tokenizer.decode(written.tokens[: count - 1])) >= min(ends):
        count -= 1
    return Completion(written.text[: min(ends)], written.tokens[:count], written.log_probs[:count], StopReason.STOP)
