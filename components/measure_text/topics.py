"""Topic mixtures by latent Dirichlet allocation, for topic consistency with the prompt (Blei, Ng & Jordan 2003; EVAL-3)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.feature_extraction.text import CountVectorizer

from components.measure_text.interval import Numbers

WORDS = 5_000  # maximum vocabulary size
FEWEST, MOST = 3, 0.3  # minimum number and maximum share of passages that contain a word; words in more passages belong to no topic
PASSES = 5


class Topics:
    """A topic model fitted on training passages.

    Args:
        topics: number of topics.

    Raises:
        ValueError: there are too few passages, or they share no word.
    """

    def __init__(self, passages: Sequence[str], topics: int, seed: int) -> None:
        self._counts = CountVectorizer(min_df=FEWEST, max_df=MOST, max_features=WORDS)
        matrix = self._counts.fit_transform(passages)
        self._topics = LatentDirichletAllocation(topics, learning_method="online", max_iter=PASSES, random_state=seed).fit(matrix)

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
    divergence = (_relative(left, middle) + _relative(right, middle)) / 2
    distance: Numbers = np.sqrt(np.maximum(divergence, 0.0))
    return distance


def _relative(left: Numbers, right: Numbers) -> Numbers:
    left, right = np.broadcast_arrays(left, right)
    positive = (left > 0) & (right > 0)  # the midpoint of a tiny share and 0 can round to 0
    logs = [np.log2(shares, where=positive, out=np.zeros(shares.shape)) for shares in (left, right)]
    total: Numbers = (left * (logs[0] - logs[1])).sum(axis=-1)
    return total
