"""Many prompts continued in batches, each at most as long as is asked of it; and how likely a continuation is."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from robo_poet.model.generate import Completion, generate
from robo_poet.model.load import LoadedModel
from robo_poet.model.sampling import Sampling
from robo_poet.model.score import score


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


def nats_of(model: LoadedModel, prompts: Sequence[Sequence[int]], texts: Sequence[Sequence[int]], *, batch: int) -> list[float]:
    """Nats of each text after its prompt by the signature `score`, which knows nothing of how the text came about.

    Args:
        prompts: token ids, `<START>` first.
    """
    scored = score(model, [[*prompt, *text] for prompt, text in zip(prompts, texts, strict=True)], batch)
    return [-float(one.log_prob[len(one.log_prob) - len(text) :].sum(dtype="f8")) for one, text in zip(scored, texts, strict=True)]
