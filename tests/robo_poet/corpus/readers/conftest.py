"""A function that reads bytes as a source."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from robo_poet.corpus.document import Document
from robo_poet.corpus.source import open_source
from robo_poet.corpus.source_digest import source_digest
from robo_poet.errors import BadInput
from robo_poet.settings.data import IngestSettings

Read = Callable[..., tuple[list[Document], tuple[str, ...]]]
Refusal = Callable[..., str]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return a function that reads a file twice, as ingest does, and returns its documents and the warnings."""

    def read_source(name: str, content: bytes, **settings: Any) -> tuple[list[Document], tuple[str, ...]]:
        path = tmp_path / name
        path.write_bytes(content)
        source = open_source(str(path), source_digest(str(path)), IngestSettings(**settings))
        documents = list(source.documents())
        assert list(source.documents()) == documents
        return documents, source.warnings

    return read_source


@pytest.fixture
def refusal(read: Read, tmp_path: Path) -> Refusal:
    """Return a function that returns the one line with which a file is refused, without the folder."""

    def read_source(name: str, content: bytes, **settings: Any) -> str:
        with pytest.raises(BadInput) as caught:
            read(name, content, **settings)
        return str(caught.value).removeprefix(f"{tmp_path}/")

    return read_source
