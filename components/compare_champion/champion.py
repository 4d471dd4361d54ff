"""The champion of the registry, and its completions of the new model's prompts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from robo_poet.errors import BadInput
from robo_poet.evaluation.completions import Continuation
from robo_poet.model.limits import MAX_LENGTH
from robo_poet.model.load import LoadedModel
from robo_poet.model.sampling import Sampling
from robo_poet.model.tokenizer import START
from robo_poet.model.write_on import write_on
from robo_poet.registry.registry import Registry
from robo_poet.registry.version import Version

NONE = "none"  # said by who has asked the registry; nothing else means that there is no champion


def find_champion(registry: Path, digest: str) -> Version | None:
    """The champion, verified; None where there is none.

    Args:
        digest: of the version's manifest; `none`; or empty to ask the registry now.

    Raises:
        BadInput: the registry holds no version of this digest.
        Corrupt: the log or the version is not what was written.
    """
    if digest == NONE:
        return None
    store = Registry(registry)
    found = next((one for one in store.versions() if one.digest == digest), None) if digest else store.champion()
    if found is None and not digest and store.strays():
        raise BadInput(
            "the log knows no champion, but there are versions that it does not know", where=str(registry), remedy="restore the log"
        )
    if digest and found is None:
        raise BadInput(f"no version has the digest {digest[:12]}", where=str(registry), remedy="submit the run again")
    if found:
        found.verify()
    return found


def champion_texts(
    model: LoadedModel, rows: Sequence[Continuation], decoding: Mapping[str, float], *, batch: int, seed: int,
    say: Callable[[int, int], None],
) -> list[Continuation]:  # fmt: skip
    """The same places, continued by the champion: as long as what really follows, drawn alike, in the champion's own tokens.

    A place may lie within one of the champion's words, where it is the other model's boundary: that is a disadvantage of the champion, of
    one word in a text. A prompt too long for the champion loses its beginning.

    How likely the champion finds either text is not asked: the `nats` are 0.

    Args:
        decoding: how the new model's texts were drawn.
    """
    encode = model.tokenizer.encode_all
    following = [ids[: MAX_LENGTH - 2] for ids in encode([row.reference for row in rows])]
    room = [MAX_LENGTH - 1 - len(ids) for ids in following]
    prompts = [[START, *ids[-most:]] for ids, most in zip(encode([row.prompt for row in rows]), room, strict=True)]
    sampling = Sampling(min_new=0, temperature=decoding["temperature"], top_k=int(decoding["top_k"]), top_p=decoding["top_p"])
    written = write_on(model, prompts, [max(1, len(ids)) for ids in following], sampling, batch=batch, seed=seed, say=say)
    return [
        replace(row, text=one.text, stop=one.reason.name.lower(), tokens=one.tokens, reference_tokens=ids, nats=0.0, reference_nats=0.0)
        for row, one, ids in zip(rows, written, following, strict=True)
    ]
