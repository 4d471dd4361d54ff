"""The examination of a source's documents: the digest of each text, the quality rules, and the search for near-duplicates.

It needs most of the time of a first reading. `ExaminationHere` does it in this process. `components.ingest.distributed_examination` gives
it to the workers of a Beam runner, with the same results.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from robo_poet.corpus.curation.near_duplicates import NearDuplicate, ShingleStore
from robo_poet.corpus.curation.quality import Failure, failed_rule
from robo_poet.corpus.curation.shingles import shingles
from robo_poet.corpus.document import Document
from robo_poet.settings.data import IngestSettings, QualitySettings


@dataclass(frozen=True, slots=True)
class Examined:
    """What is measured in one document.

    Args:
        sha256: digest of the normalised text.
        size: of the normalised text, in bytes of UTF-8.
        failure: the first quality rule that it fails; None if it fails none.
    """

    sha256: str
    size: int
    failure: Failure | None


def examine(normalised: Document, bounds: QualitySettings) -> Examined:
    """Examine a document with text, after `Document.with_text`."""
    return Examined(normalised.sha256, normalised.size, failed_rule(normalised, bounds))


class Examination(Protocol):
    """Examines documents, and then finds near-duplicates among those that were chosen."""

    def examined(self, documents: Iterable[Document]) -> Iterator[tuple[Document, Examined | None]]:
        """Yield each document in its order with what is measured; None if it has no text."""
        ...

    def choose(self) -> None:
        """Let the document that was yielded last take part in the search. The chosen documents are numbered from 0."""
        ...

    def chosen(self) -> int:
        """Return the number of chosen documents."""
        ...

    def near_duplicates(self, preference: npt.NDArray[np.int64], fixed: int) -> tuple[list[NearDuplicate], int]:
        """Find near-duplicates, once; see `ShingleStore.find`."""
        ...


class ExaminationHere:
    """Examines documents in this process, while they are read. Use it as a context manager.

    Args:
        folder: folder of a temporary file of 8 bytes per word, if near-duplicates are searched; None for the system's.
    """

    def __init__(self, settings: IngestSettings, folder: Path | None = None) -> None:
        self._bounds = settings.quality
        self._store = ShingleStore(settings.near_duplicate_similarity, folder)
        self._text = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._store.__exit__(kind, value, trace)

    def examined(self, documents: Iterable[Document]) -> Iterator[tuple[Document, Examined | None]]:
        """See `Examination`."""
        for document in documents:
            if document.text.strip():
                normalised = document.with_text(document.text)
                self._text = normalised.text
                yield document, examine(normalised, self._bounds)
            else:
                self._text = ""
                yield document, None

    def choose(self) -> None:
        """See `Examination`."""
        self._store.add(shingles(self._text))

    def chosen(self) -> int:
        """See `Examination`."""
        return len(self._store)

    def near_duplicates(self, preference: npt.NDArray[np.int64], fixed: int) -> tuple[list[NearDuplicate], int]:
        """See `Examination`."""
        return self._store.find(preference, fixed)
