"""The findings of all documents of a corpus, with the names that were found in other documents only."""

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import read_documents
from robo_poet.privacy.findings import Finding, disjoint
from robo_poet.privacy.names.known_names import KnownNames
from robo_poet.settings.data import Policy

Found = Iterator[tuple[Document, list[Finding]]]


@contextmanager
def found_in_corpus(corpus: Path, findings: Iterable[list[Finding]], policy: Callable[[Document], Policy], folder: Path) -> Iterator[Found]:
    """Yield an iterator of each document with its findings. Names of other documents are looked for under the policy `full`.

    The findings wait in a temporary file, because the names are known after the last document. It has positions and kinds, never a text.

    Args:
        findings: those of each document, in the order of the corpus.
        policy: returns the policy of a document.
        folder: folder of the temporary file, which is deleted at the end.
    """
    names = KnownNames()
    with tempfile.TemporaryFile("w+", encoding="ascii", dir=folder) as file:
        for document, found in zip(read_documents(corpus), findings, strict=True):
            file.write(json.dumps([[f.entity, f.start, f.end, float(f.score), f.recognizer] for f in found]) + "\n")
            if policy(document) == "full":
                names.learn(document.text, found)
        for document, found in _read(corpus, file) if names else ():
            if policy(document) == "full":
                names.count(document.text, found)
        yield _with_names(_read(corpus, file), names, policy)


def _with_names(documents: Found, names: KnownNames, policy: Callable[[Document], Policy]) -> Found:
    for document, found in documents:
        missed = names.missed(document.text, found) if names and policy(document) == "full" else []
        yield document, disjoint([*found, *missed], document.text) if missed else found


def _read(corpus: Path, file: IO[str]) -> Found:
    file.seek(0)
    for document, line in zip(read_documents(corpus), file, strict=True):
        yield document, [Finding(*row) for row in json.loads(line)]
