"""Computes the likelihood of documents under an exported model, for the evaluation (EVAL-1)."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from robo_poet.corpus.document import Document
from robo_poet.evaluation.documents import Measured, measured
from robo_poet.model.load import LoadedModel
from robo_poet.model.score import score

CHUNK = 64  # documents per call of `score`


def measure_documents(
    model: LoadedModel,
    documents: Sequence[Document],
    *,
    batch: int,
    say: Callable[[int, int], None],
    unigram: npt.NDArray[np.float64] | None = None,
) -> list[Measured]:
    """Return one row per document, over all its tokens: `<END>` counts, `<START>` does not.

    Args:
        batch: rows per call of the model.
        say: progress callback, called with the number of finished documents and of all.
        unigram: natural log probability of each token by its frequency, `[size]` float64; without it, `unigram_nats` are 0.
    """
    rows = []
    for start in range(0, len(documents), CHUNK):
        chunk = documents[start : start + CHUNK]
        encoded = [model.tokenizer.encode_document(document.text) for document in chunk]
        for document, ids, result in zip(chunk, encoded, score(model, encoded, batch), strict=True):
            rows.append(
                measured(
                    document, tokens=len(result.rank), first=int((result.rank == 0).sum()), among_five=int((result.rank < 5).sum()),
                    nats=-float(result.log_prob.sum(dtype=np.float64)),
                    unigram_nats=0.0 if unigram is None else -float(unigram[ids[1:]].sum()),
                )
            )  # fmt: skip
        say(len(rows), len(documents))
    return rows
