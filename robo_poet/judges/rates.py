"""Rates with confidence intervals, such as the share of completions that copy or of texts that a classifier calls toxic."""

import math

import numpy as np
from numpy.typing import ArrayLike

from robo_poet.judges.bootstrap import MINIMUM_UNITS
from robo_poet.judges.estimate import Estimate
from robo_poet.judges.incomplete_beta import beta_quantile
from robo_poet.judges.ratio import ratio
from robo_poet.judges.student_t import quantile


def clopper_pearson(hits: float, trials: float, *, confidence: float = 0.95) -> tuple[float, float]:
    """Return exact binomial limits (Clopper & Pearson 1934). Effective numbers may be fractional (Korn & Graubard 1998).

    Returns:
        Lower and upper limit of the share. Their coverage holds for any true share.

    Raises:
        ValueError: hits are not from 0 to trials, or there is no trial.
    """
    _check(hits, trials)
    if not trials:
        raise ValueError("there was no trial")
    tail = (1 - confidence) / 2
    low = beta_quantile(hits, trials - hits + 1, tail) if hits > 0 else 0.0
    high = beta_quantile(hits + 1, trials - hits, 1 - tail) if hits < trials else 1.0
    return low, high


def clustered_rate(hits: ArrayLike, trials: ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """Estimate the share of hits when the trials of one unit depend on each other, such as completions of one work (Korn & Graubard 1998).

    The limits are those of Clopper and Pearson for the effective number of independent trials. If all trials have the same outcome, their
    dependence within a unit cannot be estimated. Then each unit counts as one trial.

    Args:
        hits, trials: (units,), one pair per unit. Units without a trial are left out.

    Returns:
        The share; with an infinite interval below MINIMUM_UNITS, NaN if there was no trial.

    Raises:
        ValueError: shapes differ, or hits are not from 0 to trials.
    """
    top, bottom = np.asarray(hits, np.float64), np.asarray(trials, np.float64)
    observed = ratio(top, bottom)
    if not ((top >= 0) & (top <= bottom)).all():
        raise ValueError("hits are not from 0 to the trials of their unit")
    if observed.units < MINIMUM_UNITS:
        return Estimate(observed.value, -math.inf, math.inf, observed.units)
    share, total = observed.value, float(bottom.sum())
    if share in (0.0, 1.0):
        low, high = clopper_pearson(share * observed.units, observed.units, confidence=confidence)
        return Estimate(share, low, high, observed.units)
    effective = total
    if observed.error > 0:
        level = (1 + confidence) / 2
        loss = quantile(level, max(1.0, total - 1)) / quantile(level, observed.freedom)  # the error itself is estimated from few units
        effective = min(total, share * (1 - share) / observed.error**2 * loss**2)
    low, high = clopper_pearson(share * effective, effective, confidence=confidence)
    return Estimate(share, low, high, observed.units)


def _check(hits: float, trials: float) -> None:
    if not 0 <= hits <= trials < math.inf:
        raise ValueError(f"{hits} hits in {trials} trials are not possible")
