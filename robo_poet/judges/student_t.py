"""Student's t distribution (Student 1908) for any degrees of freedom above 0, also fractional."""

import math
from functools import lru_cache

from robo_poet.judges.incomplete_beta import beta_quantile, incomplete_beta


def upper_tail(t: float, freedom: float) -> float:
    """Return P(T > t)."""
    if math.isinf(t):
        return 0.0 if t > 0 else 1.0
    tail = incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t)) / 2
    return tail if t > 0 else 1 - tail


@lru_cache(maxsize=4096)
def quantile(probability: float, freedom: float) -> float:
    """Return the t with P(T ≤ t) = `probability`, for 0 < probability < 1.

    Raises:
        ValueError: the probability is out of range.
    """
    if not 0 < probability < 1:
        raise ValueError(f"a probability lies between 0 and 1, not at {probability}")
    if probability == 0.5:
        return 0.0
    if probability < 0.5:
        return -quantile(1 - probability, freedom)
    # Near the median x comes close to 1 and loses digits; its complement does not.
    rest = beta_quantile(0.5, freedom / 2, 1 - 2 * (1 - probability))
    if rest < 0.5:
        return math.sqrt(freedom * rest / (1 - rest))
    x = beta_quantile(freedom / 2, 0.5, 2 * (1 - probability))
    return math.sqrt(freedom * (1 - x) / x) if x else math.inf
