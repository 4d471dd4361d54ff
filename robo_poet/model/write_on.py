"""Completes many prompts in batches with a length limit for each, and scores completions."""

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
    """Return one completion per prompt. Completion i samples with seed + i, so it does not depend on the batch.

    Args:
        prompts: token ids, `<START>` first.
        lengths: most tokens of each completion; replaces `sampling.max_new`.
        batch: rows per call of the model.
        say: progress callback, called with the number of finished prompts and of all.
    """
    written: list[Completion] = []
    for start in range(0, len(prompts), batch):
        chunk = slice(start, start + batch)
        samplings = [replace(sampling, max_new=limit, min_new=min(sampling.min_new, limit)) for limit in lengths[chunk]]
        written += generate(model, prompts[chunk], samplings, range(seed + start, seed + start + len(samplings)))
        say(len(written), len(prompts))
    return written


def nats_of(model: LoadedModel, prompts: Sequence[Sequence[int]], texts: Sequence[Sequence[int]], *, batch: int) -> list[float]:
    """Return the negative log-likelihood of each text after its prompt, by the signature `score`, in nats.

    The signature ignores sampling settings, so any text can be scored.

    Args:
        prompts: token ids, `<START>` first.
        texts: token ids, one text per prompt.
    """
    scored = score(model, [[*prompt, *text] for prompt, text in zip(prompts, texts, strict=True)], batch)
    return [-float(scores.log_prob[len(scores.log_prob) - len(text) :].sum(dtype="f8")) for scores, text in zip(scored, texts, strict=True)]
