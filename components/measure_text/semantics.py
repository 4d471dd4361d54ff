"""Coherence with the prompt, by latent semantic analysis (Deerwester et al. 1990; EVAL-3).

A text's embedding is its TF-IDF vector in the space of the largest singular vectors of the training passages.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from components.measure_text.interval import Numbers

WORDS = 20_000  # of the vocabulary, at most
FEWEST = 2  # passages that a word is in


class Semantics:
    """Embeds texts in the space that the training passages span.

    Args:
        dimensions: of the space, or fewer where there are not so many words or passages.

    Raises:
        ValueError: the passages are too few or have no word in common.
    """

    def __init__(self, passages: Sequence[str], dimensions: int, seed: int) -> None:
        self._weights = TfidfVectorizer(sublinear_tf=True, min_df=FEWEST, max_features=WORDS)
        matrix = self._weights.fit_transform(passages)
        fewer = min(dimensions, min(matrix.shape) - 1)
        if fewer < 2:
            raise ValueError("too little training text")
        self._space = TruncatedSVD(fewer, random_state=seed).fit(matrix)

    def embed(self, texts: Sequence[str]) -> Numbers:
        """Unit vectors (texts, dimensions); 0 for a text without a known word."""
        vectors: Numbers = self._space.transform(self._weights.transform(texts))
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.where(lengths > 0, lengths, 1.0)


def cosines(left: Numbers, right: Numbers, pairs: npt.NDArray[np.int64]) -> list[float]:
    """Mean cosine of each row on the left with its partners on the right.

    Args:
        left, right: unit vectors.
        pairs: (rows, partners): rows on the right; NaN without partners.
    """
    if not pairs.shape[1]:
        return [float("nan")] * len(left)
    return [float((right[partners] @ one).mean()) for one, partners in zip(left, pairs, strict=True)]
