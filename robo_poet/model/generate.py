"""Text generation with an exported model: one call per batch of completions (GEN-1, GEN-2)."""

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
    """Complete each prompt (token ids from `encode_prompt`). Row i samples with `seeds[i]`, so its text does not depend on the batch.

    Args:
        sampling: for all rows, or one per row.

    Raises:
        BadInput: only some rows use beam search.
    """
    each = [sampling] * len(prompts) if isinstance(sampling, Sampling) else list(sampling)
    beams = [row_sampling.beams > 1 for row_sampling in each]
    if any(beams) != all(beams):
        raise BadInput("some rows ask for beam search and some do not", where="beams", remedy="ask in two calls")
    inputs = prompt_inputs(model.tokenizer, prompts, each)
    result = model.beam_search(**inputs, **beam_inputs(each)) if all(beams) else model.generate(**inputs, **sampling_inputs(each, seeds))
    tokens, lengths, reasons = (result[name].numpy() for name in ("tokens", "length", "stop_reason"))
    log_probs = result["log_prob"].numpy() if "log_prob" in result else np.zeros((len(prompts), 0))
    completions = []
    for row, row_sampling in enumerate(each):
        ids = tokens[row, : lengths[row]].tolist()
        written = Completion(model.tokenizer.decode(ids), ids, log_probs[row, : lengths[row]].tolist(), StopReason(int(reasons[row])))
        completions.append(stopped(model.tokenizer, written, row_sampling))
    return completions


def stream(model: LoadedModel, prompt: Sequence[int], sampling: Sampling, seed: int) -> Iterator[Completion]:
    """Yield the same completion piece by piece. Each item holds all text so far; the last one has the stop reason.

    An incomplete character or the beginning of a stop text may still change. A client shows only text that no longer changes.
    """
    if sampling.beams > 1:  # the best beam is known only at the end
        yield generate(model, [prompt], sampling, [seed])[0]
        return
    written = NOTHING
    for number in range(sampling.max_new):
        piece_sampling = next_piece(sampling, number, len(written.tokens))
        piece = generate(model, [[*prompt, *written.tokens]], piece_sampling, [seed])[0]
        written, ended = joined(model.tokenizer, len(prompt), written, piece, sampling)
        yield written
        if ended:
            return
