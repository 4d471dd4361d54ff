"""Text from an exported model: one call a batch of completions (GEN-1, GEN-2)."""

from collections.abc import Iterator, Sequence

import numpy as np

from robo_poet.errors import BadInput
from robo_poet.model.completion import Completion, stopped
from robo_poet.model.inputs import beam_inputs, prompt_inputs, sampling_inputs
from robo_poet.model.limits import StopReason
from robo_poet.model.load import LoadedModel
from robo_poet.model.pieces import NOTHING, joined, next_piece
from robo_poet.model.prompt import encode_prompt
from robo_poet.model.sampling import Sampling

__all__ = ["Completion", "encode_prompt", "generate", "stream"]


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
    inputs = prompt_inputs(model.tokenizer, prompts, each)
    result = model.beam_search(**inputs, **beam_inputs(each)) if all(beams) else model.generate(**inputs, **sampling_inputs(each, seeds))
    tokens, lengths, reasons = (result[name].numpy() for name in ("tokens", "length", "stop_reason"))
    chances = result["log_prob"].numpy() if "log_prob" in result else np.zeros((len(prompts), 0))
    completions = []
    for row, one in enumerate(each):
        ids = tokens[row, : lengths[row]].tolist()
        written = Completion(model.tokenizer.decode(ids), ids, chances[row, : lengths[row]].tolist(), StopReason(int(reasons[row])))
        completions.append(stopped(model.tokenizer, written, one))
    return completions


def stream(model: LoadedModel, prompt: Sequence[int], sampling: Sampling, seed: int) -> Iterator[Completion]:
    """The same completion bit by bit: each time all that is written so far; the last one has the reason.

    Half a character, or the beginning of a stop text, may still become another one: a reader shows what no longer changes.
    """
    if sampling.beams > 1:  # the best text is known at its end only
        yield generate(model, [prompt], sampling, [seed])[0]
        return
    written = NOTHING
    for number in range(sampling.max_new):
        asked = next_piece(sampling, number, len(written.tokens))
        part = generate(model, [[*prompt, *written.tokens]], asked, [seed])[0]
        written, ended = joined(model.tokenizer, len(prompt), written, part, sampling)
        yield written
        if ended:
            return
