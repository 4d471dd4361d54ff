"""Embeddings by latent semantic analysis, for coherence with the prompt (Deerwester et al. 1990; EVAL-3).

The embedding of a text is its TF-IDF vector, projected on the largest singular vectors of the training passages.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from components.measure_text.interval import Numbers

WORDS = 20_000  # maximum vocabulary size
FEWEST = 2  # minimum number of passages that contain a word


class Semantics:
    """A latent semantic space fitted on training passages.

    Args:
        dimensions: maximum number of dimensions; fewer if there are fewer words or passages.

    Raises:
        ValueError: there are too few passages, or they share no word.
    """

    def __init__(self, passages: Sequence[str], dimensions: int, seed: int) -> None:
        self._weights = TfidfVectorizer(sublinear_tf=True, min_df=FEWEST, max_features=WORDS)
        matrix = self._weights.fit_transform(passages)
        rank = min(dimensions, min(matrix.shape) - 1)
        if rank < 2:
            raise ValueError("too little training text")
        self._space = TruncatedSVD(rank, random_state=seed).fit(matrix)

    def embed(self, texts: Sequence[str]) -> Numbers:
        """Return unit vectors, (texts, dimensions); a zero vector for a text without a known word."""
        vectors: Numbers = self._space.transform(self._weights.transform(texts))
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.where(lengths > 0, lengths, 1.0)


def cosines(left: Numbers, right: Numbers, pairs: npt.NDArray[np.int64]) -> list[float]:
    """Return the mean cosine of each left row with its partners on the right; NaN without partners.

    Args:
        left, right: unit vectors, (rows, dimensions).
        pairs: (rows, partners) row numbers of the right side.
    """
    if not pairs.shape[1]:
        return [float("nan")] * len(left)
    return [float((right[partners] @ vector).mean()) for vector, partners in zip(left, pairs, strict=True)]
