"""Log-likelihood of many short continuations.

Rows are padded to the length of the batch, because `robo_poet.model.batch` pads each row to 256 tokens.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from robo_poet.model.saved_model import LoadedModel
from robo_poet.model.tokenizer import PAD, START

WIDTH_STEP = 8  # row widths are multiples of it, so only a few shapes occur


class EncodedText(NamedTuple):
    """A context, which is not scored, and a continuation, which is; both as token IDs."""

    context: tuple[int, ...]
    continuation: tuple[int, ...]

    @property
    def length(self) -> int:
        return len(self.context) + len(self.continuation)


def encode_continuation(model: LoadedModel, context: str, continuation: str) -> EncodedText | None:
    """Return both strings as token IDs, with `<START>` first; None if the tokenizer cannot encode them without loss.

    They are encoded separately, so a continuation has the same tokens after any context.
    """
    tokenizer, strings = model.tokenizer, (context, continuation)
    first, second = (tokenizer.encode(string) for string in strings)
    if (tokenizer.decode(first), tokenizer.decode(second)) != strings:
        return None
    return EncodedText((START, *first), tuple(second))


def log_probs(
    model: LoadedModel, texts: Sequence[EncodedText | None], *, batch: int, width: int, report: Callable[[int, int], None]
) -> npt.NDArray[np.float64]:
    """Return log P(continuation | context) of each text in nats, (texts,) float64. Equal texts are scored once.

    Args:
        texts: a text that is None gets NaN, as does a text longer than `width`.
        batch: rows per call of the model.
        width: maximum tokens per row.
        report: progress callback, called with the number of finished and of all distinct texts.
    """
    distinct = sorted({text for text in texts if text is not None and text.length <= width}, key=lambda text: (text.length, text))
    scores: dict[EncodedText, float] = {}
    for start in range(0, len(distinct), batch):
        chunk = distinct[start : start + batch]
        widest = min(width, -(-chunk[-1].length // WIDTH_STEP) * WIDTH_STEP)
        rows: npt.NDArray[np.int32] = np.full((batch, widest), PAD, np.int32)
        for row, text in enumerate(chunk):
            rows[row, : text.length] = text.context + text.continuation
        nats = np.asarray(model.score(tokens=rows)["log_prob"], np.float64)
        for row, text in enumerate(chunk):
            scores[text] = float(nats[row, len(text.context) - 1 : text.length - 1].sum())
        report(len(scores), len(distinct))
    return np.asarray([math.nan if text is None else scores.get(text, math.nan) for text in texts], np.float64)
