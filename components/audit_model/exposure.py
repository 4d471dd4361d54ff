"""Exposure of a canary string: how far a model memorised it (Carlini et al. 2019, section 4). Pure functions; no model is called."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from robo_poet.judges.estimate import Estimate
from robo_poet.judges.rates import clopper_pearson

MOST_SKEWED = 0.99  # a skew-normal distribution reaches 0.995


@dataclass(frozen=True)
class Exposure:
    """The exposure of a canary string, in bits.

    Args:
        sampled: log2 |R| − log2 rank, with the rank estimated among sampled candidates. Its maximum is log2(candidates + 1), the
            resolution of the sample. The units of the estimate are candidates.
        extrapolated: the same quantity by a skew-normal distribution fitted to the candidates, at most log2 |R|. It extrapolates beyond
            the sample.
    """

    sampled: Estimate
    extrapolated: float


def exposure(secret: float, candidates: npt.NDArray[np.float64], space: int) -> Exposure:
    """Return the exposure of a canary string among candidates, by their log-likelihoods.

    The share of the space at least as likely as the canary string is estimated by (k + 1) / (n + 1), where k of n candidates are. Its
    interval is exact (Clopper & Pearson 1934). A canary string that was never planted has a uniform rank, hence `chance` bits on average.

    Args:
        secret: log-likelihood of the canary string, nats.
        candidates: (n,) log-likelihoods of other strings of the same space, nats.
        space: size |R| of the space of possible values.

    Returns:
        The exposure; NaN if a log-likelihood is not finite.
    """
    if not (math.isfinite(secret) and np.isfinite(candidates).all()):
        return Exposure(Estimate(math.nan, 0.0, math.inf, len(candidates)), math.nan)
    count, as_likely = len(candidates), int((candidates >= secret).sum())
    low_share, high_share = clopper_pearson(as_likely, count)
    value = math.log2((count + 1) / (as_likely + 1))
    limit = math.log2(space)
    high = min(limit, -math.log2(low_share)) if low_share > 0 else limit
    return Exposure(
        Estimate(value, min(value, max(0.0, -math.log2(high_share))), max(value, high), count), _extrapolated(secret, candidates, limit)
    )


def chance(candidates: int) -> float:
    """Return the expected exposure of a string that was never planted, in bits.

    It is log2(n + 1) − log2((n + 1)!) / (n + 1), which approaches 1 / ln 2 = 1.44.
    """
    ranks = candidates + 1
    return math.log2(ranks) - math.lgamma(ranks + 1) / math.log(2) / ranks


def _extrapolated(secret: float, candidates: npt.NDArray[np.float64], limit: float) -> float:
    """Return −log2 P(X ≥ secret) for a skew-normal X with the mean, deviation and skewness of `candidates` (Azzalini 1985)."""
    deviation = float(candidates.std())
    if deviation == 0:
        return limit if secret > candidates[0] else 0.0
    skew = float(np.clip(np.mean(((candidates - candidates.mean()) / deviation) ** 3), -MOST_SKEWED, MOST_SKEWED))
    power = abs(skew) ** (2 / 3)
    delta = math.copysign(math.sqrt(math.pi / 2 * power / (power + ((4 - math.pi) / 2) ** (2 / 3))), skew)
    shape = delta / math.sqrt(1 - delta**2)
    scale = deviation / math.sqrt(1 - 2 * delta**2 / math.pi)
    location = float(candidates.mean()) - scale * delta * math.sqrt(2 / math.pi)
    return float(np.clip(-stats.skewnorm.logsf(secret, shape, location, scale) / math.log(2), 0.0, limit))
