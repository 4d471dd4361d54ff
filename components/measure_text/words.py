"""Words and n-grams of a text. They do not depend on a model's tokenizer, so models with different tokenizers compare."""

import re

# A word with its apostrophes and hyphens (o'erta'en, to-night), or one punctuation mark.
WORD = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")


def words(text: str) -> list[str]:
    """Return the words and punctuation marks, in lower case."""
    return WORD.findall(text.lower())


def ngrams(tokens: list[str] | list[int], n: int) -> list[tuple[str | int, ...]]:
    """Return all n-grams in order; an empty list if there are fewer than `n` tokens."""
    return list(zip(*(tokens[start:] for start in range(n)), strict=False))
