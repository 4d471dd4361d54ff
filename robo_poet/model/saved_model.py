"""An exported SavedModel with its tokenizer: loading and text generation, one call per batch of completions (GEN-1, GEN-2, contract 6)."""

import json
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from robo_poet.errors import BadInput
from robo_poet.model.completion import EMPTY, Completion, Sampling, StopReason, append_piece, completes_banned, cut_at_stop, next_piece
from robo_poet.model.inputs import beam_inputs, prompt_inputs, sampling_inputs
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.process import silent_stderr

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # Python exceptions are not affected


@dataclass(frozen=True)
class LoadedModel:
    """An exported model with its tokenizer. The signatures take and return tensors by name; `generate` and `score` wrap them for text."""

    generate: Any
    beam_search: Any
    score: Any
    tokenizer: Tokenizer
    manifest: dict[str, Any]
    module: Any  # reference that keeps the variables of the signatures alive


def load_model(model: Path, tokenizer: Path) -> LoadedModel:
    """Load a model artifact with its tokenizer artifact.

    Raises:
        BadInput: `model` contains no model, or the model cannot be loaded or was exported for a tokenizer of another size.
    """
    try:
        manifest = json.loads((model / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"the folder holds no model ({error})", where=str(model), remedy="give the folder `model` of a version") from None
    loaded = Tokenizer.load(tokenizer)
    loaded.check_size(manifest, tokenizer)
    with silent_stderr():
        import tensorflow as tf  # takes seconds; imported late so that a wrong path fails fast

        try:
            module = tf.saved_model.load(str(model / "saved_model"))
        except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
            message = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise BadInput(f"the SavedModel cannot be loaded ({message})", where=str(model), remedy="train a new version") from None
    signatures = module.signatures
    missing = [name for name in ("generate", "beam_search", "score") if name not in signatures]
    if missing:
        raise BadInput(f"the model has no signature {missing[0]}", where=str(model), remedy="it is an older export; train a new version")
    return LoadedModel(signatures["generate"], signatures["beam_search"], signatures["score"], loaded, manifest, module)


def generate(
    model: LoadedModel, prompts: Sequence[Sequence[int]], sampling: Sampling | Sequence[Sampling], seeds: Sequence[int]
) -> list[Completion]:
    """Complete each prompt (token ids from `encode_prompt`). Row i samples with `seeds[i]`, so its text does not depend on the batch.

    If several tokens together form a banned text, the last of them is replaced and the completion goes on from there.

    Args:
        sampling: for all rows, or one per row.

    Raises:
        BadInput: only some rows use beam search.
    """
    each = [sampling] * len(prompts) if isinstance(sampling, Sampling) else list(sampling)
    beams = [row_sampling.beams > 1 for row_sampling in each]
    if any(beams) != all(beams):
        raise BadInput("only some rows use beam search", where="beams", remedy="split the rows into two calls")
    completions = _call(model, prompts, each, seeds)
    for row, row_sampling in enumerate(each):
        if completes_banned(model.tokenizer, completions[row], row_sampling.banned) is not None:
            *_, completions[row] = _continue(model, prompts[row], row_sampling, seeds[row], completions[row])
    return completions


def _call(
    model: LoadedModel, prompts: Sequence[Sequence[int]], each: Sequence[Sampling], seeds: Sequence[int], refused: Collection[int] = ()
) -> list[Completion]:
    """Return the completions of one call of a signature. Several tokens of a completion may form a banned text."""
    inputs = prompt_inputs(model.tokenizer, prompts, each, refused)
    beams = each[0].beams > 1
    result = model.beam_search(**inputs, **beam_inputs(each)) if beams else model.generate(**inputs, **sampling_inputs(each, seeds))
    tokens, lengths, reasons = (result[name].numpy() for name in ("tokens", "length", "stop_reason"))
    log_probs = result["log_prob"].numpy() if "log_prob" in result else np.zeros((len(prompts), 0))
    completions = []
    for row, row_sampling in enumerate(each):
        ids = tokens[row, : lengths[row]].tolist()
        written = Completion(model.tokenizer.decode(ids), ids, log_probs[row, : lengths[row]].tolist(), StopReason(int(reasons[row])))
        completions.append(cut_at_stop(model.tokenizer, written, row_sampling))
    return completions


def stream(model: LoadedModel, prompt: Sequence[int], sampling: Sampling, seed: int) -> Iterator[Completion]:
    """Yield the completion that `generate` returns, piece by piece. Each item contains all text so far; the last has the stop reason.

    The end of the text may still change if it is an incomplete character or the beginning of a stop text. Show only text that no longer
    changes.
    """
    if sampling.beams > 1:  # the best beam is known only at the end
        yield generate(model, [prompt], sampling, [seed])[0]
        return
    yield from _continue(model, prompt, sampling, seed, EMPTY)


def _continue(model: LoadedModel, prompt: Sequence[int], sampling: Sampling, seed: int, written: Completion) -> Iterator[Completion]:
    """Continue a completion piece by piece, and yield its states.

    A token that completes a banned text is refused at its position, as the last token of a bad word in other libraries, and another one
    is drawn there. So a yielded text never gets shorter.
    """
    tokenizer, ended = model.tokenizer, False
    refused: dict[int, set[int]] = {}  # position → tokens that complete a banned text there
    for number in count():
        place = completes_banned(tokenizer, written, sampling.banned)
        if place is not None:
            refused.setdefault(place, set()).add(written.tokens[place])
            kept = written.tokens[:place]
            written, ended = Completion(tokenizer.decode(kept), kept, written.log_probs[:place], StopReason.LENGTH), False
        elif number:
            yield written
        if ended:
            return
        position = len(written.tokens)
        piece_sampling = next_piece(sampling, number, position)
        if position in refused:
            piece_sampling = replace(piece_sampling, max_new=1, min_new=min(piece_sampling.min_new, 1))
        piece = _call(model, [[*prompt, *written.tokens]], [piece_sampling], [seed], refused.get(position, ()))[0]
        written, ended = append_piece(tokenizer, len(prompt), written, piece, sampling)
