"""Finds the champion in the registry and completes the new model's prompts with it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from robo_poet.evaluation.completions import Continuation
from robo_poet.model.batch import complete_prompts
from robo_poet.model.completion import MAX_LENGTH, Sampling
from robo_poet.model.saved_model import LoadedModel
from robo_poet.model.tokenizer import START
from robo_poet.registry.registry import Registry
from robo_poet.registry.versions.version import Version


def find_champion(registry: str, model: str, digest: str) -> Version | None:
    """Return the champion, with its files verified; None if there is no champion.

    Args:
        registry: folder of the registry, or gs://bucket/prefix.
        model: name of the model in the registry.
        digest: digest of the version's manifest; `none` for no champion; '' to ask the registry now.

    Raises:
        BadInput: no version has this digest, or the log names no champion but the folder has versions that the log does not name.
        Corrupt: the log or the files of the version were changed.
    """
    version = Registry(registry, model).pinned_champion(digest)
    if version:
        version.verify()
    return version


def champion_completions(
    model: LoadedModel, rows: Sequence[Continuation], decoding: Mapping[str, float], *, batch: int, seed: int,
    say: Callable[[int, int], None],
) -> list[Continuation]:  # fmt: skip
    """Complete the same prompts with the champion and its tokenizer. The sampling settings are the same.

    - A completion has at most as many of the champion's tokens as the reference.
    - If a prompt is too long for the champion, its beginning is removed.
    - A prompt may end inside one of the champion's tokens, because it was cut at a token of the new model. This is a disadvantage for
      the champion: it affects one word per text.
    - The texts are not scored: `nats` and `reference_nats` are 0.

    Args:
        rows: the new model's completions.
        decoding: `temperature`, `top_k` and `top_p` of the new model's completions.
        batch: rows per call of the model.
        say: progress callback, called with the number of finished prompts and of all.
    """
    encode = model.tokenizer.encode_all
    following = [ids[: MAX_LENGTH - 2] for ids in encode([row.reference for row in rows])]
    limits = [MAX_LENGTH - 1 - len(ids) for ids in following]
    prompts = [[START, *ids[-limit:]] for ids, limit in zip(encode([row.prompt for row in rows]), limits, strict=True)]
    sampling = Sampling(min_new=0, temperature=decoding["temperature"], top_k=int(decoding["top_k"]), top_p=decoding["top_p"])
    completions = complete_prompts(model, prompts, [max(1, len(ids)) for ids in following], sampling, batch=batch, seed=seed, say=say)
    return [
        replace(
            row,
            text=completion.text,
            stop=completion.reason.name.lower(),
            tokens=completion.tokens,
            reference_tokens=ids,
            nats=0.0,
            reference_nats=0.0,
        )
        for row, completion, ids in zip(rows, completions, following, strict=True)
    ]
