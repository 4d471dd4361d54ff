"""Text from an exported model: one call a batch of completions (GEN-1, GEN-2)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from robo_poet.errors import BadInput
from robo_poet.model.load import LoadedModel
from robo_poet.model.tokenizer import PAD, START

MIN_PROMPT = 3  # tokens (GEN-2)


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn. Ranges as in GEN-1 and GEN-2; `top_k` 0 is off, `top_k` 1 is greedy."""

    max_new: int = 100
    min_new: int = 10
    temperature: float = 0.8
    top_k: int = 50
    top_p: float = 0.9

    def __post_init__(self) -> None:
        for name, low, high in (
            ("max_new", 1, 512), ("min_new", 0, 512), ("temperature", 0.1, 2.0), ("top_k", 0, 100), ("top_p", 0.1, 1.0),
        ):  # fmt: skip
            value = getattr(self, name)
            if not low <= value <= high:  # also refuses NaN
                raise BadInput(f"{value} is out of range", where=name, remedy=f"give a value from {low} to {high}")


@dataclass(frozen=True)
class Completion:
    """A continuation.

    Attributes:
        text: without the prompt.
        tokens: its ids, `<END>` left out.
        log_probs: nats a token under the unmodified probabilities.
        ended: the model itself ended, not a limit.
    """

    text: str
    tokens: list[int]
    log_probs: list[float]
    ended: bool


def encode_prompt(model: LoadedModel, text: str) -> list[int]:
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
        sampling: for all rows, or one a row.
    """
    rows = len(prompts)
    each = [sampling] * rows if isinstance(sampling, Sampling) else list(sampling)
    longest = max(len(prompt) for prompt in prompts)
    padded: npt.NDArray[np.int32] = np.full((rows, longest), PAD, np.int32)
    for row, prompt in enumerate(prompts):
        padded[row, : len(prompt)] = prompt
    result = model.generate(
        prompt=padded,
        prompt_length=np.asarray([len(prompt) for prompt in prompts], np.int32),
        max_new=np.asarray([one.max_new for one in each], np.int32),
        min_new=np.asarray([one.min_new for one in each], np.int32),
        temperature=np.asarray([one.temperature for one in each], np.float32),
        top_k=np.asarray([one.top_k for one in each], np.int32),
        top_p=np.asarray([one.top_p for one in each], np.float32),
        seed=np.asarray(seeds, np.int64),
    )
    tokens, lengths, chances, ended = (result[name].numpy() for name in ("tokens", "length", "log_prob", "ended"))
    completions = []
    for row in range(rows):
        ids = tokens[row, : lengths[row]].tolist()
        completions.append(
            Completion(model.tokenizer.decode(ids), ids, chances[row, : lengths[row]].tolist(), bool(ended[row]))
        )  # fmt: skip
    return completions
