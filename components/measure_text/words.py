"""Words of a text as they are counted here, whatever tokens a model has: so that models of other tokenizers compare."""

import re

# A word with its apostrophes and hyphens (o'erta'en, to-night), or one mark.
WORD = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")


def words(text: str) -> list[str]:
    """Words and marks, in small letters."""
    return WORD.findall(text.lower())


def ngrams(tokens: list[str] | list[int], n: int) -> list[tuple[str | int, ...]]:
    """All runs of `n`, in order; none where there are fewer tokens."""
    return list(zip(*(tokens[start:] for start in range(n)), strict=False))
