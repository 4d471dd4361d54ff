"""Batch use of an exported model: likelihood of documents, and completions of many prompts (EVAL-1, EVAL-2, MON-3).

Likelihoods come from the unmodified distribution, without sampling settings.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from robo_poet.corpus.document import Document
from robo_poet.evaluation.likelihood import Block, DocumentLikelihood, block_count, document_likelihood
from robo_poet.model.completion import Completion, Sampling
from robo_poet.model.saved_model import LoadedModel, generate
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
    """Yield the score of each document of token ids (`Tokenizer.encode_document`). One call scores `batch` rows of 256 tokens."""
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


DOCUMENTS_PER_CALL = 64  # documents per call of `score`


def document_likelihoods(
    model: LoadedModel,
    documents: Sequence[Document],
    *,
    batch: int,
    say: Callable[[int, int], None],
    unigram: npt.NDArray[np.float64] | None = None,
) -> list[DocumentLikelihood]:
    """Return one row per document, over all its tokens: `<END>` counts, `<START>` does not.

    Args:
        batch: rows per call of the model.
        say: progress callback, called with the number of finished documents and of all.
        unigram: natural log probability of each token by its frequency, `[size]` float64; without it, `unigram_nats` are 0.
    """
    rows = []
    byte_lengths = np.asarray(model.tokenizer.byte_lengths(), np.int64)
    for start in range(0, len(documents), DOCUMENTS_PER_CALL):
        chunk = documents[start : start + DOCUMENTS_PER_CALL]
        encoded = [model.tokenizer.encode_document(document.text) for document in chunk]
        for document, ids, result in zip(chunk, encoded, score(model, encoded, batch), strict=True):
            rows.append(
                document_likelihood(
                    document, tokens=len(result.rank), first=int((result.rank == 0).sum()), among_five=int((result.rank < 5).sum()),
                    nats=-float(result.log_prob.sum(dtype=np.float64)),
                    unigram_nats=0.0 if unigram is None else -float(unigram[ids[1:]].sum()),
                    blocks=_blocks(document, np.asarray(ids[1:], np.int64), result, byte_lengths, unigram),
                )
            )  # fmt: skip
        say(len(rows), len(documents))
    return rows


def _blocks(
    document: Document, ids: npt.NDArray[np.int64], scores: Score, byte_lengths: npt.NDArray[np.int64],
    unigram: npt.NDArray[np.float64] | None,
) -> list[Block]:  # fmt: skip
    """Return the sums of each block of a document, at the same bytes for every tokenizer. A token belongs to the block in which it starts.

    Args:
        ids: token ids after `<START>`, (tokens,).
    """
    size = len(document.text.encode("utf-8"))
    count = block_count(size)
    edges = np.arange(count + 1) * size // count
    starts = np.concatenate([[0], np.cumsum(byte_lengths[ids])])[:-1]
    of = np.clip(np.searchsorted(edges, starts, side="right") - 1, 0, count - 1)
    if len(set(of.tolist())) < count:  # a token is longer than a block, so a block has no token
        return []

    def sums(values: npt.ArrayLike) -> list[float]:
        return [float(total) for total in np.bincount(of, np.asarray(values, np.float64), count)]

    columns = zip(
        np.diff(edges).tolist(), np.bincount(of, minlength=count).tolist(), sums(scores.rank == 0), sums(scores.rank < 5),
        sums(-scores.log_prob), sums(np.zeros(len(ids)) if unigram is None else -unigram[ids]), strict=True,
    )  # fmt: skip
    return [Block(size, tokens, int(first), int(five), nats, unigram_nats) for size, tokens, first, five, nats, unigram_nats in columns]


def complete_prompts(
    model: LoadedModel, prompts: Sequence[Sequence[int]], lengths: Sequence[int], sampling: Sampling, *, batch: int, seed: int,
    say: Callable[[int, int], None],
) -> list[Completion]:  # fmt: skip
    """Return one completion per prompt. Completion i samples with seed + i, so it does not depend on the batch.

    Args:
        prompts: token ids, `<START>` first.
        lengths: maximum number of tokens of each completion; replaces `sampling.max_new`.
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


def completion_nats(model: LoadedModel, prompts: Sequence[Sequence[int]], texts: Sequence[Sequence[int]], *, batch: int) -> list[float]:
    """Return the negative log-likelihood of each text after its prompt, by the signature `score`, in nats.

    The signature ignores sampling settings, so any text can be scored.

    Args:
        prompts: token ids, `<START>` first.
        texts: token ids, one text per prompt.
    """
    scored = score(model, [[*prompt, *text] for prompt, text in zip(prompts, texts, strict=True)], batch)
    return [-float(scores.log_prob[len(scores.log_prob) - len(text) :].sum(dtype="f8")) for scores, text in zip(scored, texts, strict=True)]
