"""Detection of degenerate completions: loops and heavy repetition (Holtzman et al. 2020)."""

from collections.abc import Sequence

from components.measure_text.words import ngrams

SHORTEST = 8  # 4-grams; below this the share of repeated 4-grams is too noisy


def is_loop(tokens: Sequence[int], repeats: int, least: int) -> bool:
    """Return True if the text ends in one n-gram, of any length, repeated.

    Args:
        repeats: minimum number of repetitions.
        least: minimum number of tokens that the repetitions cover: human text also contains `no, no, no`.
    """
    for period in range(1, len(tokens) // repeats + 1):
        run = _run(tokens, period)
        if run >= repeats * period and run >= least:
            return True
    return False


def _run(tokens: Sequence[int], period: int) -> int:
    """Return the number of tokens at the end that repeat with this period, including the first period."""
    position = len(tokens) - 1
    while position >= period and tokens[position] == tokens[position - period]:
        position -= 1
    return len(tokens) - 1 - position + period


def is_repetitive(words: list[str], share: float) -> bool:
    """Return True if more than `share` of the word 4-grams occur earlier in the text. Texts with under 8 4-grams return False."""
    grams = ngrams(words, 4)
    return len(grams) >= SHORTEST and len(grams) - len(set(grams)) > share * len(grams)
