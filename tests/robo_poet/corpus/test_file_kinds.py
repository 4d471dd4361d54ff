"""Covers: file_kinds. Each kind of file that is not read has a remedy of its own."""

from pathlib import Path

import pytest

from robo_poet.corpus.file_kinds import binary_file, check_kind, document_names, is_table, is_text, no_text
from robo_poet.errors import BadInput


def test_documents_are_visible_text_files_in_order_of_name() -> None:
    names = ["b.TXT", "a.md", ".hidden.txt", "x/.git/a.txt", "table.csv", "x/c.txt", "d.txt.gz", "e.md.XZ", "f.zip", "g.gz"]
    assert document_names(names) == ["a.md", "b.TXT", "d.txt.gz", "e.md.XZ", "x/c.txt"]
    assert [is_table(name) for name in ("a.csv", "a.TSV.bz2", "a.ndjson", "a.txt", "csv")] == [True, True, True, False, False]
    assert [is_text(name) for name in ("a.txt", "a.csv.gz")] == [True, False]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("a.json", "write one JSON object per line, as .jsonl"),
        ("a.docx", "export its text as .txt"),
        ("a.xlsx", "export it as .csv"),
        ("a.tar.gz", "unpack it, and give the folder or the text in it"),
        ("a.zst", "unpack it, and give the folder or the text in it"),
        ("a.png", "give a folder, or one of .txt, .md, .jsonl, .ndjson, .csv, .tsv, .parquet (each also as .gz, .bz2, .xz, or in a .zip)"),
        ("a.parquet.gz", "unpack it: Parquet is compressed inside"),
    ],
)
def test_the_remedy_fits_the_kind(name: str, remedy: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_kind(name, f"/x/{name}")
    assert str(caught.value).startswith(f"/x/{name}: ")
    assert str(caught.value).endswith(f"; {remedy}")


@pytest.mark.parametrize("name", ["a.txt", "a.MD.gz", "a.csv", "a.jsonl.xz", "a.tsv.bz2", "a.parquet"])
def test_texts_and_tables_are_accepted(name: str) -> None:
    check_kind(name, name)


def test_the_content_of_a_binary_file_says_what_to_do() -> None:
    lines = [str(binary_file("/x/a.txt", 3, head)) for head in (b"", b"PK\3\4", b"\x28\xb5\x2f\xfd")]
    assert lines == [
        "/x/a.txt: the file is binary (NUL at byte 3); remove it or save it as plain text",
        "/x/a.txt: the file is compressed (.zip); name it a.txt.zip",
        "/x/a.txt: the file is a .zst file; unpack it",
    ]


def test_a_folder_without_text_says_what_it_contains() -> None:
    assert str(no_text(Path("/x"), ["b.csv.gz", "a.png"], [])).endswith("to read a table, give its path: /x/b.csv.gz")
    assert str(no_text(Path("/x"), ["b.zip", "a.png"], [])).endswith("to read an archive, give its path: /x/b.zip")
    assert "\n" not in str(no_text(Path("/x"), ["a\nb.png"], []))
