"""A number and how sure it is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A measured value with its interval.

    Args:
        value: the measurement itself.
        low, high: limits of the interval; infinite where too little was measured to have one.
        units: independent things it rests on (works, documents, pairs).
    """

    value: float
    low: float
    high: float
    units: int
