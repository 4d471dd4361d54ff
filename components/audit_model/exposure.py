"""How far a model has learnt one secret: exposure (Carlini et al. 2019, section 4). Pure: no model is called here."""

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
    """Exposure of a secret, in bits.

    Args:
        sampled: log2 |R| − log2 rank, the rank estimated among sampled candidates: never above log2(candidates + 1), which is all that
            they can tell; units are candidates.
        extrapolated: the same by a skew-normal distribution fitted to the candidates, at most log2 |R|: a guess beyond the sample.
    """

    sampled: Estimate
    extrapolated: float


def exposure(secret: float, candidates: npt.NDArray[np.float64], space: int) -> Exposure:
    """Exposure of a secret among others of its space of `space` values, by their log-likelihoods.

    The share of the space that is at least as likely as the secret is (k + 1) / (n + 1), k of the n candidates being so, and its
    interval Clopper and Pearson's (1934). A secret that was never seen has a uniform rank, and so `chance` bits in the mean.
    """
    if not (math.isfinite(secret) and np.isfinite(candidates).all()):
        return Exposure(Estimate(math.nan, 0.0, math.inf, len(candidates)), math.nan)
    count, better = len(candidates), int((candidates >= secret).sum())
    least, most = clopper_pearson(better, count)
    value = math.log2((count + 1) / (better + 1))
    limit = math.log2(space)
    high = min(limit, -math.log2(least)) if least > 0 else limit
    return Exposure(
        Estimate(value, min(value, max(0.0, -math.log2(most))), max(value, high), count), _extrapolated(secret, candidates, limit)
    )


def chance(candidates: int) -> float:
    """Mean exposure of a secret that was never seen, bits: log2(n + 1) − log2((n + 1)!) / (n + 1), which nears 1 / ln 2 = 1.44."""
    places = candidates + 1
    return math.log2(places) - math.lgamma(places + 1) / math.log(2) / places


def _extrapolated(secret: float, candidates: npt.NDArray[np.float64], limit: float) -> float:
    """−log2 P(X ≥ secret), X skew-normal with the mean, deviation and skewness of `candidates` (Azzalini 1985)."""
    deviation = float(candidates.std())
    if deviation == 0:
        return limit if secret > candidates[0] else 0.0
    skew = float(np.clip(np.mean(((candidates - candidates.mean()) / deviation) ** 3), -MOST_SKEWED, MOST_SKEWED))
    power = abs(skew) ** (2 / 3)
    delta = math.copysign(math.sqrt(math.pi / 2 * power / (power + ((4 - math.pi) / 2) ** (2 / 3))), skew)
    shape = delta / math.sqrt(1 - delta**2)
    scale = deviation / math.sqrt(1 - 2 * delta**2 / math.pi)
    place = float(candidates.mean()) - scale * delta * math.sqrt(2 / math.pi)
    return float(np.clip(-stats.skewnorm.logsf(secret, shape, place, scale) / math.log(2), 0.0, limit))
