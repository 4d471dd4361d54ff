"""Degenerate texts: empty, a loop, or many repeated 4-grams (EVAL-3; Holtzman et al. 2020).

The step measure_text measures completions with it, and the gateway marks served texts with it.
"""

import re
from collections.abc import Sequence

# A word with its apostrophes and hyphens (o'erta'en, to-night), or a run of one punctuation mark: a line of 40 dashes is one mark. If each
# dash were a mark, such lines would repeat their 4-grams, and 4 % of the human text of a technical manual would be degenerate.
WORD = re.compile(r"\w+(?:['’-]\w+)*|([^\w\s])\1*")
MINIMUM_FOURGRAMS = 8  # 4-grams; below this the share of repeated 4-grams is too noisy


def words(text: str) -> list[str]:
    """Return the words and punctuation marks, in lower case."""
    return [match.group() for match in WORD.finditer(text.lower())]


def ngrams(tokens: list[str] | list[int], n: int) -> list[tuple[str | int, ...]]:
    """Return all n-grams in order; an empty list if there are fewer than `n` tokens."""
    return list(zip(*(tokens[start:] for start in range(n)), strict=False))


def is_degenerate(tokens: Sequence[int], words: list[str], *, loop_repeats: int, loop_tokens: int, repetition_limit: float) -> bool:
    """Return True if a text has no words, ends in a loop, or repeats itself. The limits are those of the section `text` of a profile.

    Args:
        tokens: token IDs of the text, from encoding it.
        words: the words of the text, see `words`.
    """
    return not words or is_loop(tokens, loop_repeats, loop_tokens) or is_repetitive(words, repetition_limit)


def is_loop(tokens: Sequence[int], repeats: int, least: int) -> bool:
    """Return True if the text ends in one n-gram, of any length, repeated.

    Args:
        repeats: minimum number of repetitions.
        least: minimum number of tokens that the repetitions cover: human text also contains `no, no, no`.
    """
    for period in range(1, len(tokens) // repeats + 1):
        run = _repeated_tokens(tokens, period)
        if run >= repeats * period and run >= least:
            return True
    return False


def _repeated_tokens(tokens: Sequence[int], period: int) -> int:
    """Return the number of tokens at the end that repeat with this period, including the first period."""
    position = len(tokens) - 1
    while position >= period and tokens[position] == tokens[position - period]:
        position -= 1
    return len(tokens) - 1 - position + period


def is_repetitive(words: list[str], share: float) -> bool:
    """Return True if more than `share` of the word 4-grams occur earlier in the text. Texts with under 8 4-grams return False."""
    grams = ngrams(words, 4)
    return len(grams) >= MINIMUM_FOURGRAMS and len(grams) - len(set(grams)) > share * len(grams)
