"""A measured value with its confidence interval."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A measured value with its confidence interval.

    Args:
        value: the measurement.
        low, high: lower and upper limit of the interval; infinite if too little was measured.
        units: number of independent units behind it (works, documents, templates).
    """

    value: float
    low: float
    high: float
    units: int
