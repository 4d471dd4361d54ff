"""The baseline every language model has to beat: each token by its frequency alone."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt


def unigram_log_probs(training: Iterable[Sequence[int]], size: int) -> npt.NDArray[np.float64]:
    """Natural log-probability of each of `size` tokens after `training`, add-one smoothed.

    Args:
        training: documents as token ids without `<START>`, which no model has to predict.
    """
    counts = np.ones(size)
    for document in training:
        counts += np.bincount(np.asarray(document, np.int64), minlength=size)
    shares: npt.NDArray[np.float64] = np.log(counts / counts.sum())
    return shares
