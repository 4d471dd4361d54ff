"""The training text in passages about as long as what is compared with it: a scene as a whole has no one topic."""

import random
from collections.abc import Iterable, Iterator

WORDS = 100  # of a passage
MOST = 10_000  # passages that a space is fitted on, 6 MB of text: more make it slower and no better


def passages(documents: Iterable[str]) -> Iterator[str]:
    """Runs of at most 100 words; a document's last one may be short."""
    for text in documents:
        words = text.split()
        for start in range(0, len(words), WORDS):
            yield " ".join(words[start : start + WORDS])


def sample_passages(documents: Iterable[str], seed: int, most: int = MOST) -> list[str]:
    """All passages, or `most` of them, each as likely as any other (algorithm R of Vitter 1985)."""
    dice = random.Random(seed)
    kept: list[str] = []
    for number, passage in enumerate(passages(documents)):
        if number < most:
            kept.append(passage)
        elif (place := dice.randrange(number + 1)) < most:
            kept[place] = passage
    return kept
