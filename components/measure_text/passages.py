"""Passages of the training text, about as long as the texts compared with them. A whole scene has no single topic."""

import random
from collections.abc import Iterable, Iterator

WORDS = 100  # words per passage
MOST = 10_000  # passages that a space is fitted on, 6 MB of text; more are slower and no better


def passages(documents: Iterable[str]) -> Iterator[str]:
    """Yield runs of 100 words of each document; the last one may be shorter."""
    for text in documents:
        words = text.split()
        for start in range(0, len(words), WORDS):
            yield " ".join(words[start : start + WORDS])


def sample_passages(documents: Iterable[str], seed: int, most: int = MOST) -> list[str]:
    """Return all passages, or a uniform sample of `most` of them (reservoir sampling, algorithm R of Vitter 1985)."""
    generator = random.Random(seed)
    sample: list[str] = []
    for number, passage in enumerate(passages(documents)):
        if number < most:
            sample.append(passage)
        elif (slot := generator.randrange(number + 1)) < most:
            sample[slot] = passage
    return sample
