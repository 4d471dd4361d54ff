"""Similarity of texts to their own prompts, compared with prompts of other works (EVAL-3)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from components.measure_text.measure import Measure, mean
from components.measure_text.semantics import Semantics, cosines
from components.measure_text.side import Side
from components.measure_text.topics import Topics, consistencies


def semantic_measures(space: Semantics, side: Side, others: npt.NDArray[np.int64]) -> dict[str, Measure]:
    """Return the mean cosine of each text with its own prompt, with the prompts of `others`, and the difference (lift).

    Args:
        others: (rows, partners) row numbers of unrelated prompts.
    """
    texts, prompts = space.embed(side.texts), space.embed(side.prompts)
    return _pair("semantic_similarity", "semantic_lift", cosines(texts, prompts, _own(side)), cosines(texts, prompts, others))


def topic_measures(topics: Topics, side: Side, others: npt.NDArray[np.int64]) -> dict[str, Measure]:
    """Return the same three metrics as `semantic_measures`, with 1 − Jensen–Shannon distance of the topic mixtures."""
    texts, prompts = topics.mixtures(side.texts), topics.mixtures(side.prompts)
    return _pair("topic_consistency", "topic_lift", consistencies(texts, prompts, _own(side)), consistencies(texts, prompts, others))


def _own(side: Side) -> npt.NDArray[np.int64]:
    return np.arange(len(side.texts))[:, np.newaxis]


def _pair(name: str, lift: str, own: Sequence[float], other: Sequence[float]) -> dict[str, Measure]:
    lifts = [own_value - other_value for own_value, other_value in zip(own, other, strict=True)]
    return {name: mean(own), f"{name}_shuffled": mean(other), lift: mean(lifts)}
