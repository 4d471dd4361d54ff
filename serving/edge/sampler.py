"""Sampling of the next token in NumPy, equal to the sampler in the exported graph (`components/train_model/generation/sampler.py`, GEN-1).

The same logits, options, seed and position give the same token in both; a test checks this.
"""

import numpy as np
import numpy.typing as npt

from robo_poet.model.completion import MAX_TOP_K

Logits = npt.NDArray[np.float32]
_UINT32 = 0xFFFFFFFF


def uniform(seed: int, position: int) -> np.float32:
    """Return a pseudo-random number in [0, 1) for a 64-bit seed and an absolute position. Uses "lowbias32" (C. Wellons, 2018) 3 times."""

    def mix(x: int) -> int:
        x = (x ^ (x >> 16)) * 0x7FEB352D & _UINT32
        x = (x ^ (x >> 15)) * 0x846CA68B & _UINT32
        return x ^ (x >> 16)

    x = mix(mix(mix((position + 0x9E3779B9) & _UINT32) ^ (seed & _UINT32)) ^ (seed >> 32 & _UINT32))
    return np.float32((x >> 8) * 2.0**-24)


def penalise(logits: Logits, seen: npt.NDArray[np.bool_], penalty: float) -> Logits:
    """Apply the repetition penalty of CTRL (Keskar et al. 2019) to the logits of seen tokens.

    Positive logits are divided by the penalty, the others are multiplied by it.

    Args:
        logits: `[vocabulary]`, float32.
        seen: `[vocabulary]`, True for tokens of the text so far.
        penalty: 1.0 is off.
    """
    if penalty == 1.0:
        return logits
    divisor = np.float32(penalty)
    return np.where(seen, np.where(logits > 0, logits / divisor, logits * divisor), logits)


def sample(logits: Logits, temperature: float, top_k: int, top_p: float, noise: np.float32) -> int:
    """Draw one token. Apply the temperature, the `top_k` most likely tokens, and the nucleus of mass `top_p` (Holtzman et al. 2020).

    Args:
        logits: `[vocabulary]`, float32. A token with −inf is never drawn, unless all are −inf.
        top_k: 0 is off, 1 is greedy.
        noise: uniform number in [0, 1), applied to the cumulative probability of the kept tokens, most likely first.
    """
    order = _largest(logits, min(top_k, MAX_TOP_K) if top_k > 0 else len(logits))
    values = logits[order] / np.float32(temperature)
    probabilities = np.exp(values - values[0])
    probabilities /= probabilities.sum()
    cumulative = np.cumsum(probabilities)
    # The token that crosses top_p is kept, so that the nucleus is never empty.
    nucleus_size = max(1, int(np.count_nonzero((cumulative - probabilities < np.float32(top_p)) & (probabilities > 0))))
    cumulative = cumulative[:nucleus_size]
    return int(order[min(int(np.count_nonzero(cumulative <= noise * cumulative[-1])), nucleus_size - 1)])


def _largest(logits: Logits, k: int) -> npt.NDArray[np.intp]:
    """Return the indices of the k largest logits, largest first; ties in order of index."""
    if k >= len(logits):
        return np.argsort(-logits, kind="stable")
    threshold = np.partition(logits, len(logits) - k)[len(logits) - k]
    candidates = np.flatnonzero(logits >= threshold)
    return candidates[np.argsort(-logits[candidates], kind="stable")[:k]]
