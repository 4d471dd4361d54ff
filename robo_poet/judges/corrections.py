"""Corrections of p-values for multiple comparisons. Compare an adjusted p-value with the level of a single test."""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values by the step-down method of Holm (1979).

    Rejecting every adjusted p ≤ α keeps the probability of any false rejection ≤ α, for any dependence between the tests.

    Returns:
        Adjusted p-values in the order given.

    Raises:
        ValueError: a p-value is not in [0, 1].
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError("a p-value is no number from 0 to 1")
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted
