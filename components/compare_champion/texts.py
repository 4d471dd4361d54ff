"""What the champion writes after the prompts that the new model was given (EVAL-2)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from robo_poet.evaluation.completions import Continuation
from robo_poet.model.limits import MAX_LENGTH
from robo_poet.model.load import LoadedModel
from robo_poet.model.sampling import Sampling
from robo_poet.model.tokenizer import START
from robo_poet.model.write_on import write_on


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
