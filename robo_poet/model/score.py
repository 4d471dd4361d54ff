"""Likelihood of text under an exported model, from unmodified probabilities (EVAL-1, MON-3)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from robo_poet.model.load import LoadedModel
from robo_poet.model.tokenizer import PAD

WINDOW = 256  # tokens a row
CONTEXT = 64  # tokens of a row that are only read, not scored again; at the start of a document there are none


@dataclass(frozen=True)
class Score:
    """A document's tokens after `<START>`: natural log-probabilities, and how many tokens were thought likelier."""

    log_prob: npt.NDArray[np.float32]
    rank: npt.NDArray[np.int32]


def _rows(length: int) -> Iterator[tuple[int, int]]:
    """(start of the row, first target to score), so that each target but the first token is scored exactly once."""
    start, scored = 0, 1
    while scored < length:
        yield start, scored
        scored = start + WINDOW
        start = scored - CONTEXT


def score(model: LoadedModel, documents: Sequence[Sequence[int]], batch: int = 32) -> Iterator[Score]:
    """Score documents of token ids (`Tokenizer.encode_document`), `batch` rows of 256 tokens a call; yields one Score a document."""
    plan = [(number, *row) for number, ids in enumerate(documents) for row in _rows(len(ids))]
    parts: dict[int, list[tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]]] = {}
    following = 0
    for at in range(0, len(plan), batch):
        chunk = plan[at : at + batch]
        rows: npt.NDArray[np.int32] = np.full((batch, WINDOW), PAD, np.int32)  # one shape, so one trace
        for row, (number, start, _) in enumerate(chunk):
            ids = documents[number][start : start + WINDOW]
            rows[row, : len(ids)] = ids
        result = model.score(tokens=rows)
        log_prob, rank = result["log_prob"].numpy(), result["rank"].numpy()
        for row, (number, start, scored) in enumerate(chunk):
            end = min(WINDOW, len(documents[number]) - start)
            window = slice(scored - start - 1, end - 1)
            parts.setdefault(number, []).append((log_prob[row, window], rank[row, window]))
        complete = chunk[-1][0] if at + batch < len(plan) else len(documents)
        while following < complete:
            pieces = parts.pop(following, [])
            yield Score(
                np.concatenate([p[0] for p in pieces]) if pieces else np.zeros(0, np.float32),
                np.concatenate([p[1] for p in pieces]) if pieces else np.zeros(0, np.int32),
            )
            following += 1
