"""Coherence with the prompt (EVAL-3): semantic similarity and topic consistency, compared with unrelated prompts.

- Semantic similarity uses sentence embeddings (`sentence_embedding`) for English, and latent semantic analysis (Deerwester et al. 1990)
  for other languages. There, the embedding of a text is its TF-IDF vector, projected on the largest singular vectors of the training
  passages. docs/explanation/evaluation.md says how well each separates true continuations from others.
- Topic consistency uses latent Dirichlet allocation (Blei, Ng & Jordan 2003).
- The baseline of both is the value for a text and unrelated prompts.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import LatentDirichletAllocation, TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from components.measure_text.metric import Numbers, RowMetric, mean
from components.measure_text.texts import Side
from robo_poet.judges.metrics import LSA

SEMANTIC_VOCABULARY = 20_000  # maximum vocabulary size
SEMANTIC_MINIMUM_PASSAGES = 2  # minimum number of passages that contain a word


class SemanticSpace(Protocol):
    """A map of texts to vectors whose cosine is their similarity in meaning."""

    @property
    def method(self) -> str:
        """Name of the method. Similarities of two methods cannot be compared."""

    def embed(self, texts: Sequence[str]) -> Numbers:
        """Return one unit vector per text, shape (texts, dimensions); a zero vector for a text without content."""


class Semantics:
    """A latent semantic space fitted on training passages (LSA), for any language. It is a `SemanticSpace`.

    Args:
        dimensions: maximum number of dimensions; fewer if there are fewer words or passages.

    Raises:
        ValueError: there are too few passages, or they share no word.
    """

    method = LSA

    def __init__(self, passages: Sequence[str], dimensions: int, seed: int) -> None:
        self._weights = TfidfVectorizer(sublinear_tf=True, min_df=SEMANTIC_MINIMUM_PASSAGES, max_features=SEMANTIC_VOCABULARY)
        matrix = self._weights.fit_transform(passages)
        rank = min(dimensions, min(matrix.shape) - 1)
        if rank < 2:
            raise ValueError("too little training text")
        self._space = TruncatedSVD(rank, random_state=seed).fit(matrix)

    def embed(self, texts: Sequence[str]) -> Numbers:
        """Return one unit vector per text, shape (texts, dimensions). A text without a known word gets a zero vector."""
        vectors: Numbers = self._space.transform(self._weights.transform(texts))
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.where(lengths > 0, lengths, 1.0)


def cosines(left: Numbers, right: Numbers, pairs: npt.NDArray[np.int64]) -> list[float]:
    """Return the mean cosine of each left row with its partners on the right. It is NaN if there are no partners.

    Args:
        left, right: unit vectors, (rows, dimensions).
        pairs: (rows, partners) row numbers of the right side.
    """
    if not pairs.shape[1]:
        return [float("nan")] * len(left)
    return [float((right[partners] @ vector).mean()) for vector, partners in zip(left, pairs, strict=True)]


TOPIC_VOCABULARY = 5_000  # maximum vocabulary size
# Minimum number and maximum share of passages that contain a word. Words in more passages belong to no topic.
TOPIC_MINIMUM_PASSAGES, TOPIC_MAXIMUM_SHARE = 3, 0.3
TOPIC_PASSES = 5


class Topics:
    """A topic model fitted on training passages.

    Args:
        topics: number of topics.

    Raises:
        ValueError: there are too few passages, or they share no word.
    """

    def __init__(self, passages: Sequence[str], topics: int, seed: int) -> None:
        self._counts = CountVectorizer(min_df=TOPIC_MINIMUM_PASSAGES, max_df=TOPIC_MAXIMUM_SHARE, max_features=TOPIC_VOCABULARY)
        matrix = self._counts.fit_transform(passages)
        self._topics = LatentDirichletAllocation(topics, learning_method="online", max_iter=TOPIC_PASSES, random_state=seed).fit(matrix)

    def mixtures(self, texts: Sequence[str]) -> Numbers:
        """Return the share of each topic in each text, (texts, topics). A text without a known word gets equal shares."""
        mixed: Numbers = self._topics.transform(self._counts.transform(texts))
        return mixed


def consistencies(left: Numbers, right: Numbers, pairs: npt.NDArray[np.int64]) -> list[float]:
    """Return 1 − Jensen–Shannon distance of each left mixture to its partners on the right, mean over partners.

    The distance has base 2 and so is in [0, 1]. The result is NaN without partners.

    Args:
        left, right: topic mixtures, (rows, topics).
        pairs: (rows, partners) row numbers of the right side.
    """
    if not pairs.shape[1]:
        return [float("nan")] * len(left)
    return [float(1 - jensen_shannon(mixture[np.newaxis], right[partners]).mean()) for mixture, partners in zip(left, pairs, strict=True)]


def jensen_shannon(left: Numbers, right: Numbers) -> Numbers:
    """Return the row-wise distance of distributions: the square root of the divergence in bits (Lin 1991; Endres & Schindelin 2003)."""
    middle = (left + right) / 2
    divergence = (_relative_entropy(left, middle) + _relative_entropy(right, middle)) / 2
    distance: Numbers = np.sqrt(np.maximum(divergence, 0.0))
    return distance


def _relative_entropy(left: Numbers, right: Numbers) -> Numbers:
    left, right = np.broadcast_arrays(left, right)
    positive = (left > 0) & (right > 0)  # the midpoint of a tiny share and 0 can round to 0
    logs = [np.log2(shares, where=positive, out=np.zeros(shares.shape)) for shares in (left, right)]
    total: Numbers = (left * (logs[0] - logs[1])).sum(axis=-1)
    return total


def unrelated_rows(groups: Sequence[str], count: int, seed: int) -> npt.NDArray[np.int64]:
    """Draw `count` rows of other groups for each row, with replacement. If all rows have one group, draw other rows.

    Returns:
        (rows, count) row numbers; (1, 0) for a single row, which has no other row.
    """
    group_ids, rows = np.unique(np.asarray(groups, str), return_inverse=True)[1], np.arange(len(groups))
    if len(rows) < 2:
        return np.empty((len(rows), 0), np.int64)
    labels = group_ids if group_ids.max() else rows
    generator = np.random.default_rng(seed)
    return np.stack([generator.choice(rows[labels != label], size=count) for label in labels])


def semantic_metrics(space: SemanticSpace, both_sides: tuple[Side, Side], others: npt.NDArray[np.int64]) -> list[dict[str, RowMetric]]:
    """Return for each side the mean cosine of each text with its own prompt, with the prompts of `others`, and the difference (lift).

    Args:
        both_sides: the model's and the human side, with the same prompts. The prompts are embedded once.
        others: (rows, partners) row numbers of unrelated prompts.
    """
    first, second = both_sides
    prompts, *texts_of_sides = np.split(space.embed([*first.prompts, *first.texts, *second.texts]), 3)
    return [
        _with_baseline(
            "semantic_similarity", "semantic_lift", cosines(texts, prompts, _own_rows(side)), cosines(texts, prompts, others)
        )
        for side, texts in zip(both_sides, texts_of_sides, strict=True)
    ]  # fmt: skip


def topic_metrics(topics: Topics, side: Side, others: npt.NDArray[np.int64]) -> dict[str, RowMetric]:
    """Return the same three metrics as `semantic_metrics`, with 1 − Jensen–Shannon distance of the topic mixtures."""
    texts, prompts = topics.mixtures(side.texts), topics.mixtures(side.prompts)
    return _with_baseline(
        "topic_consistency", "topic_lift", consistencies(texts, prompts, _own_rows(side)), consistencies(texts, prompts, others)
    )


def _own_rows(side: Side) -> npt.NDArray[np.int64]:
    return np.arange(len(side.texts))[:, np.newaxis]


def _with_baseline(name: str, lift: str, own: Sequence[float], other: Sequence[float]) -> dict[str, RowMetric]:
    lifts = [own_value - other_value for own_value, other_value in zip(own, other, strict=True)]
    return {name: mean(own), f"{name}_shuffled": mean(other), lift: mean(lifts)}
