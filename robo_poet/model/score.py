"""Likelihood of text under an exported model, from its unmodified distribution (EVAL-1, MON-3)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from robo_poet.model.load import LoadedModel
from robo_poet.model.tokenizer import PAD

WINDOW = 256  # tokens per row
CONTEXT = 64  # leading tokens of a row that are context only; none at the start of a document


@dataclass(frozen=True)
class Score:
    """The scores of a document's tokens after `<START>`.

    Attributes:
        log_prob: (tokens,) float32, natural log probabilities.
        rank: (tokens,) int32, number of tokens that the model finds more likely.
    """

    log_prob: npt.NDArray[np.float32]
    rank: npt.NDArray[np.int32]


def _rows(length: int) -> Iterator[tuple[int, int]]:
    """Yield (start of the row, first target to score), so that each target is scored exactly once."""
    start, scored = 0, 1
    while scored < length:
        yield start, scored
        scored = start + WINDOW
        start = scored - CONTEXT


def score(model: LoadedModel, documents: Sequence[Sequence[int]], batch: int = 32) -> Iterator[Score]:
    """Score documents of token ids (`Tokenizer.encode_document`) in batches of `batch` rows of 256 tokens. Yields a Score per document."""
    plan = [(number, *row) for number, ids in enumerate(documents) for row in _rows(len(ids))]
    row_scores: dict[int, list[tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]]] = {}
    next_document = 0
    for first in range(0, len(plan), batch):
        chunk = plan[first : first + batch]
        rows: npt.NDArray[np.int32] = np.full((batch, WINDOW), PAD, np.int32)  # a constant shape, so one trace
        for row, (number, start, _) in enumerate(chunk):
            ids = documents[number][start : start + WINDOW]
            rows[row, : len(ids)] = ids
        result = model.score(tokens=rows)
        log_prob, rank = result["log_prob"].numpy(), result["rank"].numpy()
        for row, (number, start, scored) in enumerate(chunk):
            end = min(WINDOW, len(documents[number]) - start)
            window = slice(scored - start - 1, end - 1)
            row_scores.setdefault(number, []).append((log_prob[row, window], rank[row, window]))
        complete = chunk[-1][0] if first + batch < len(plan) else len(documents)
        while next_document < complete:
            pieces = row_scores.pop(next_document, [])
            yield Score(
                np.concatenate([p[0] for p in pieces]) if pieces else np.zeros(0, np.float32),
                np.concatenate([p[1] for p in pieces]) if pieces else np.zeros(0, np.int32),
            )
            next_document += 1
