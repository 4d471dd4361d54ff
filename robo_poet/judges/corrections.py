"""p-values of many comparisons, adjusted: compare each with the level that one comparison would have."""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Step-down of Holm (1979): rejecting what is ≤ α keeps the chance of any false rejection ≤ α, however the tests depend on each other.

    Returns:
        Adjusted p-values in the order given.

    Raises:
        ValueError: a p-value that is not from 0 to 1.
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError("a p-value is no number from 0 to 1")
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted
