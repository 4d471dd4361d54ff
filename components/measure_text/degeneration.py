"""Completions that are no text any more: stuck in a loop, full of repetition, or empty (Holtzman et al. 2020)."""

from collections.abc import Sequence

from components.measure_text.words import ngrams

SHORTEST = 8  # 4-grams from which a share of repeated ones says anything


def is_loop(tokens: Sequence[int], repeats: int, least: int) -> bool:
    """Whether a text ends in one n-gram, of any length, again and again.

    Args:
        repeats: how often, at least.
        least: tokens that the repetitions fill, at least: people say `no, no, no`, too.
    """
    for period in range(1, len(tokens) // repeats + 1):
        run = _run(tokens, period)
        if run >= repeats * period and run >= least:
            return True
    return False


def _run(tokens: Sequence[int], period: int) -> int:
    """Tokens at the end that repeat with this period, the first period among them."""
    at = len(tokens) - 1
    while at >= period and tokens[at] == tokens[at - period]:
        at -= 1
    return len(tokens) - 1 - at + period


def is_repetitive(words: list[str], share: float) -> bool:
    """Whether more than `share` of its 4-grams of words stood before in the text, of at least 8."""
    grams = ngrams(words, 4)
    return len(grams) >= SHORTEST and len(grams) - len(set(grams)) > share * len(grams)
