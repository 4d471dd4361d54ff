"""Works as nature might give them: numerators, denominators, and the true ratio."""

from collections.abc import Callable

import numpy as np

from robo_poet.judges.units import Numbers

Law = Callable[[np.random.Generator, int], tuple[Numbers, Numbers, float]]


def equal(random: np.random.Generator, units: int) -> tuple[Numbers, Numbers, float]:
    """Works of one size, normal."""
    return random.normal(2, 1, units), np.ones(units), 2.0


def skewed(random: np.random.Generator, units: int) -> tuple[Numbers, Numbers, float]:
    """Works of one size, exponential: the hard case for a symmetric interval."""
    return random.exponential(1, units), np.ones(units), 1.0


def sizes(random: np.random.Generator, units: int) -> tuple[Numbers, Numbers, float]:
    """One work in twenty is five times the median; each has a difficulty of its own."""
    size = random.lognormal(0, 1, units)
    return size * random.normal(2, 0.2, units), size, 2.0


def large_are_harder(random: np.random.Generator, units: int) -> tuple[Numbers, Numbers, float]:
    """As `sizes`, and the difficulty grows with the size: E[e^z (2 + z/10)] / E[e^z] = 2.1."""
    z = random.normal(0, 1, units)
    return np.exp(z) * (2 + 0.1 * z + random.normal(0, 0.2, units)), np.exp(z), 2.1


def heavy(random: np.random.Generator, units: int) -> tuple[Numbers, Numbers, float]:
    """Student's t of 3 degrees: now and then a work that is like no other."""
    size = random.lognormal(0, 0.7, units)
    return size * random.standard_t(3, units), size, 0.0


LAWS: dict[str, Law] = {law.__name__: law for law in (equal, skewed, sizes, large_are_harder, heavy)}
