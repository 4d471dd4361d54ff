"""Many prompts continued in batches, each at most as long as is asked of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from robo_poet.model.generate import Completion, generate
from robo_poet.model.load import LoadedModel
from robo_poet.model.sampling import Sampling


def write_on(
    model: LoadedModel, prompts: Sequence[Sequence[int]], lengths: Sequence[int], sampling: Sampling, *, batch: int, seed: int,
    say: Callable[[int, int], None],
) -> list[Completion]:  # fmt: skip
    """One completion a prompt; completion i draws from seed + i, whatever the batch.

    Args:
        prompts: token ids, `<START>` first.
        lengths: the most tokens of each completion, in place of the sampling's own.
        batch: rows a call.
        say: told how many of how many are done.
    """
    written: list[Completion] = []
    for at in range(0, len(prompts), batch):
        chunk = slice(at, at + batch)
        each = [replace(sampling, max_new=most, min_new=min(sampling.min_new, most)) for most in lengths[chunk]]
        written += generate(model, prompts[chunk], each, range(seed + at, seed + at + len(each)))
        say(len(written), len(prompts))
    return written
