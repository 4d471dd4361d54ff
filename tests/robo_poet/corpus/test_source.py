"""Covers: source, user_text. tests/components/ingest reads the same sources with the step, and all kinds of bad input."""

from pathlib import Path

import pytest

from robo_poet.corpus.source import open_source
from robo_poet.corpus.source_digest import source_digest
from robo_poet.errors import BadInput
from robo_poet.settings.data import Columns, IngestSettings


def test_a_folder_can_be_read_twice(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("First.")
    (tmp_path / "b.md").write_text("Second.")
    source = open_source(str(tmp_path), "", IngestSettings())
    assert [document.id for document in source.documents()] == ["a.txt", "b.md"]
    assert [document.text for document in source.documents()] == ["First.", "Second."]
    source.verify()


def test_a_table_is_read_by_the_columns_of_the_profile(tmp_path: Path) -> None:
    table = tmp_path / "poems.csv"
    table.write_text('body,book,date\n"One, two",A,1901-05-01\n"Three ""four""\nfive",B,1902\n')
    settings = IngestSettings(columns=Columns(text="body", group="book"))
    documents = list(open_source(str(table), "", settings).documents())
    assert [(document.text, document.group, document.date) for document in documents] == [
        ("One, two", "A", "1901-05-01"),
        ('Three "four"\nfive', "B", "1902"),
    ]


def test_a_source_that_changed_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("First.")
    digest = source_digest(str(tmp_path))
    source = open_source(str(tmp_path), digest, IngestSettings())
    (tmp_path / "a.txt").write_text("Second.")
    with pytest.raises(BadInput, match="changed since the run was submitted"):
        source.verify()
    with pytest.raises(BadInput, match="changed since the run was submitted"):
        open_source(str(tmp_path), digest, IngestSettings())
