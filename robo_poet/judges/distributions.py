"""Probability distributions without SciPy: the regularised incomplete beta function, its inverse, and Student's t.

The binomial limits of `intervals` and the t intervals of `bias` are computed from them. Standard library only.
"""

import math
from functools import lru_cache

_TINY = 1e-300


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Return I_x(a, b) for a, b > 0 and x in [0, 1], to about 11 digits.

    It evaluates the continued fraction (Abramowitz & Stegun 1964, 26.5.8) by the modified method of Lentz (Thompson & Barnett 1986).

    Raises:
        ValueError: a, b or x is out of range.
    """
    if not (a > 0 and b > 0 and 0 <= x <= 1):
        raise ValueError(f"the incomplete beta function is not defined for a = {a}, b = {b}, x = {x}")
    if x in (0.0, 1.0):
        return x
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast below the mean
        return 1 - incomplete_beta(b, a, 1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    c, d, value = 1.0, 0.0, 1.0
    for step in range(10_000):
        half = step // 2
        if step == 0:
            term = 1.0
        elif step % 2:
            term = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            term = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        d = 1 / ((1 + term * d) or _TINY)
        c = (1 + term / c) or _TINY
        value *= c * d
        if step and abs(c * d - 1) < 1e-15:
            break
    return min(1.0, front * (value - 1))


def beta_quantile(a: float, b: float, probability: float) -> float:
    """Return the x for which I_x(a, b) equals `probability`. Uses Newton's method, and bisection if a step would leave the bracket."""
    low, high, x = 0.0, 1.0, a / (a + b)
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    for _ in range(200):
        off = incomplete_beta(a, b, x) - probability
        low, high = (x, high) if off < 0 else (low, x)
        slope = math.exp(min(700.0, scale + (a - 1) * math.log(x) + (b - 1) * math.log1p(-x)))
        following = x - off / slope if slope else 0.0
        if not low < following < high:
            following = (low + high) / 2
        if abs(following - x) <= 1e-13 * x or following in (0.0, 1.0):
            return following
        x = following
    return x


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
        raise ValueError(f"probability {probability} is not between 0 and 1")
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
