"""Covers: source. tests/components/ingest reads the same sources with the step, and all kinds of bad input."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from robo_poet.corpus.readers import csv_table, encoding, tables
from robo_poet.corpus.source import check_live_text, open_source
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


def test_a_parquet_file_that_expands_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand rows of 100 KB, stored once: 1 GB of text in a file of some kilobytes."""
    monkeypatch.setattr(tables, "ALLOWED", 5_000_000)
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 10_000, pa.int32()), pa.array(["ab " * 33_333]))
    pq.write_table(pa.table({"text": text}), tmp_path / "bomb.parquet")
    assert (tmp_path / "bomb.parquet").stat().st_size < 10_000
    documents = open_source(str(tmp_path / "bomb.parquet"), "", IngestSettings()).documents()
    with pytest.raises(BadInput, match="bomb.parquet: the table expands to more than 5 MB, over 200 times its size"):
        list(documents)


def test_a_compressed_page_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "ALLOWED", 5_000_000)
    table = pa.table({"text": [" " * 20_000_000, "b"]})
    pq.write_table(table, tmp_path / "bomb.parquet", compression="zstd", use_dictionary=False)
    with pytest.raises(BadInput, match="the table expands"):
        next(open_source(str(tmp_path / "bomb.parquet"), "", IngestSettings()).documents())


def test_what_is_not_read_is_a_warning_of_the_source(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("First.")
    (tmp_path / "b.txt").symlink_to("a.txt")
    source = open_source(str(tmp_path), "", IngestSettings())
    assert source.warnings == ("not read, because only regular files below the folder are: b.txt (a link)",)
    assert [document.id for document in source.documents()] == ["a.txt"]


def test_a_cell_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "LARGEST_TEXT", 1000)
    monkeypatch.setattr(csv_table, "LARGEST_TEXT", 1000)
    (tmp_path / "a.csv").write_text('text\n"' + "a line\n" * 1000)
    (tmp_path / "a.jsonl").write_text('{"text": "' + "word " * 1000 + '"}\n')
    with pytest.raises(BadInput, match=r"a.csv:\d+: malformed CSV: field larger than field limit"):
        list(open_source(str(tmp_path / "a.csv"), "", IngestSettings()).documents())
    with pytest.raises(BadInput, match=r"a.jsonl: the line at byte 0 is longer than"):
        list(open_source(str(tmp_path / "a.jsonl"), "", IngestSettings()).documents())


@pytest.mark.parametrize(("name", "what"), [("missing.jsonl", "no such file"), ("live.csv", "live text is a .jsonl file")])
def test_live_text_that_cannot_be_read_is_one_line(tmp_path: Path, name: str, what: str) -> None:
    (tmp_path / "live.csv").write_text("text\n")
    with pytest.raises(BadInput, match=f"{name}: {what}; give a file of `requests corpus`"):
        check_live_text(str(tmp_path / name))
