"""The text that the model was trained on, read as often as it is asked for and never held."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from robo_poet.corpus.read import read_documents
from robo_poet.model.tokenizer import Tokenizer

BATCH = 256  # documents that are encoded together


@dataclass(frozen=True)
class TrainingText:
    """Texts of the training split of a corpus."""

    corpus: Path

    def __iter__(self) -> Iterator[str]:
        return (document.text for document in read_documents(self.corpus, "train"))


def encoded(texts: Iterable[str], tokenizer: Tokenizer) -> Iterator[Sequence[int]]:
    """Token ids of each text."""
    rest = iter(texts)
    while batch := list(islice(rest, BATCH)):
        yield from tokenizer.encode_all(batch)
