"""Whether a text stays with the topics of its prompt, by latent Dirichlet allocation (Blei, Ng & Jordan 2003; EVAL-3)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.feature_extraction.text import CountVectorizer

from components.measure_text.interval import Numbers

WORDS = 5_000  # of the vocabulary, at most
FEWEST, MOST = 3, 0.3  # passages that a word is in; share of passages: what is in more is of no topic
PASSES = 5


class Topics:
    """Topics of the training passages.

    Raises:
        ValueError: the passages are too few or have no word in common.
    """

    def __init__(self, passages: Sequence[str], topics: int, seed: int) -> None:
        self._counts = CountVectorizer(min_df=FEWEST, max_df=MOST, max_features=WORDS)
        matrix = self._counts.fit_transform(passages)
        self._topics = LatentDirichletAllocation(topics, learning_method="online", max_iter=PASSES, random_state=seed).fit(matrix)

    def mixtures(self, texts: Sequence[str]) -> Numbers:
        """The share of each topic in each text, (texts, topics); a text without a known word has all alike."""
        mixed: Numbers = self._topics.transform(self._counts.transform(texts))
        return mixed


def consistencies(left: Numbers, right: Numbers, pairs: npt.NDArray[np.int64]) -> list[float]:
    """1 − Jensen–Shannon distance (base 2, so in [0, 1]) of each mixture on the left to its partners on the right, mean over partners."""
    if not pairs.shape[1]:
        return [float("nan")] * len(left)
    return [float(1 - jensen_shannon(one[np.newaxis], right[partners]).mean()) for one, partners in zip(left, pairs, strict=True)]


def jensen_shannon(left: Numbers, right: Numbers) -> Numbers:
    """Distance of distributions, row by row: the square root of the divergence in bits (Lin 1991; Endres & Schindelin 2003)."""
    middle = (left + right) / 2
    divergence = (_relative(left, middle) + _relative(right, middle)) / 2
    distance: Numbers = np.sqrt(np.maximum(divergence, 0.0))
    return distance


def _relative(one: Numbers, other: Numbers) -> Numbers:
    one, other = np.broadcast_arrays(one, other)
    there = (one > 0) & (other > 0)  # the middle of nearly nothing and nothing rounds to nothing
    logs = [np.log2(shares, where=there, out=np.zeros(shares.shape)) for shares in (one, other)]
    total: Numbers = (one * (logs[0] - logs[1])).sum(axis=-1)
    return total
