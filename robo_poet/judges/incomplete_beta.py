"""The regularised incomplete beta function and its inverse. Student's t and the binomial limits are computed from them."""

import math

_TINY = 1e-300


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Return I_x(a, b) for a, b > 0 and x in [0, 1], to about 11 digits.

    By its continued fraction (Abramowitz & Stegun 1964, 26.5.8), evaluated by the modified method of Lentz (Thompson & Barnett 1986).

    Raises:
        ValueError: a, b or x is out of range.
    """
    if not (a > 0 and b > 0 and 0 <= x <= 1):
        raise ValueError(f"no incomplete beta function of a = {a}, b = {b} at {x}")
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
    """Return the x for which I_x(a, b) equals `probability`. Newton's method; bisection if a step would leave the bracket."""
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
