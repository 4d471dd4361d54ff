"""The training text, streamed from disk on each iteration and never held in memory."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from robo_poet.corpus.read import read_documents
from robo_poet.model.tokenizer import Tokenizer

BATCH = 256  # documents per tokenizer call


@dataclass(frozen=True)
class TrainingText:
    """An iterable of the texts of the training split of a corpus."""

    corpus: Path

    def __iter__(self) -> Iterator[str]:
        return (document.text for document in read_documents(self.corpus, "train"))


def encoded(texts: Iterable[str], tokenizer: Tokenizer) -> Iterator[Sequence[int]]:
    """Yield the token IDs of each text."""
    remaining = iter(texts)
    while batch := list(islice(remaining, BATCH)):
        yield from tokenizer.encode_all(batch)
