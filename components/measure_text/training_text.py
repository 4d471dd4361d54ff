"""The training text, streamed from disk on each iteration and never held in memory, and its passages.

Passages are about as long as the texts compared with them. A whole scene has no single topic.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from robo_poet.corpus.parquet import read_documents
from robo_poet.model.tokenizer import Tokenizer

DOCUMENTS_PER_CALL = 256  # documents per tokenizer call


@dataclass(frozen=True)
class TrainingText:
    """An iterable of the texts of the training split of a corpus."""

    corpus: Path

    def __iter__(self) -> Iterator[str]:
        return (document.text for document in read_documents(self.corpus, "train"))


def encode_texts(texts: Iterable[str], tokenizer: Tokenizer) -> Iterator[Sequence[int]]:
    """Yield the token IDs of each text."""
    remaining = iter(texts)
    while batch := list(islice(remaining, DOCUMENTS_PER_CALL)):
        yield from tokenizer.encode_all(batch)


PASSAGE_WORDS = 100  # words per passage
MAXIMUM_PASSAGES = 10_000  # maximum number of passages for fitting a space, 6 MB of text; more passages take longer and do not improve it


def passages(documents: Iterable[str]) -> Iterator[str]:
    """Yield runs of 100 words of each document; the last one may be shorter."""
    for text in documents:
        words = text.split()
        for start in range(0, len(words), PASSAGE_WORDS):
            yield " ".join(words[start : start + PASSAGE_WORDS])


def sample_passages(documents: Iterable[str], seed: int, most: int = MAXIMUM_PASSAGES) -> list[str]:
    """Return all passages, or a uniform sample of `most` of them (reservoir sampling, algorithm R of Vitter 1985)."""
    generator = random.Random(seed)
    sample: list[str] = []
    for number, passage in enumerate(passages(documents)):
        if number < most:
            sample.append(passage)
        elif (slot := generator.randrange(number + 1)) < most:
            sample[slot] = passage
    return sample
