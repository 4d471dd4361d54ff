"""A ratio of two sums over independent units with its standard error: nats over tokens, hits over trials, or a mean."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Ratio:
    """The sum of numerators over the sum of denominators, with its standard error.

    Args:
        value: the ratio; NaN if a numerator is not finite or the denominators sum to 0.
        error: its standard error by the leave-one-unit-out jackknife (linearised: Efron & Tibshirani 1993, section 11; the CV3 of
            MacKinnon & White 1985); infinite if one unit holds the whole denominator.
        freedom: degrees of freedom of that error, the effective number of units (Kish 1965) less one, at least 1.
        units: number of units with a denominator above 0.
        residuals, shares: of these units (units,): numerator − value × denominator, and denominator, both over the sum of denominators.
    """

    value: float
    error: float
    freedom: float
    units: int
    residuals: Numbers
    shares: Numbers


def ratio(numerators: ArrayLike, denominators: ArrayLike) -> Ratio:
    """Return the ratio of the sums of (units,) numerators and (units,) denominators, one pair per unit, denominators ≥ 0.

    Raises:
        ValueError: shapes differ, or a denominator is negative or not finite.
    """
    top, bottom = np.asarray(numerators, np.float64), np.asarray(denominators, np.float64)
    if top.ndim != 1 or top.shape != bottom.shape:
        raise ValueError(f"a numerator and a denominator a unit are needed, not {top.shape} and {bottom.shape}")
    if not (np.isfinite(bottom).all() and (bottom >= 0).all()):
        raise ValueError("a denominator is negative or no finite number")
    total = float(bottom.sum())
    value = float(top.sum()) / total if total > 0 and np.isfinite(top).all() else float("nan")
    counted = bottom > 0
    units = int(counted.sum())
    if not np.isfinite(value):
        return Ratio(float("nan"), float("inf"), 1.0, units, np.zeros(units), np.zeros(units))
    residuals, shares = (top - value * bottom)[counted] / total, bottom[counted] / total
    residuals = np.where(np.abs(residuals) <= 1e-14 * np.abs(top[counted] / total), 0.0, residuals)  # rounding errors are not spread
    if units < 2:
        return Ratio(value, float("inf"), 1.0, units, residuals, shares)
    error = float(np.sqrt((units - 1) / units * np.square(residuals / (1 - shares)).sum()))
    return Ratio(value, error, max(1.0, 1 / float(np.square(shares).sum()) - 1), units, residuals, shares)
