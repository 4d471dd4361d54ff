import os
from pathlib import Path

import pytest

from robo_poet.corpus.source_files import document_names, is_bucket, source_files
from robo_poet.errors import BadInput


def test_documents_are_visible_text_files_in_order_of_name() -> None:
    assert document_names(["b.TXT", "a.md", ".hidden.txt", "x/.git/a.txt", "table.csv", "x/c.txt"]) == ["a.md", "b.TXT", "x/c.txt"]


def test_a_folder_gives_its_text_files_and_a_file_gives_itself(tmp_path: Path) -> None:
    for name in ("b.txt", "inner/a.md", "table.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text")
    assert source_files(tmp_path) == [tmp_path / "b.txt", tmp_path / "inner" / "a.md"]
    assert source_files(tmp_path / "table.csv") == [tmp_path / "table.csv"]


@pytest.mark.parametrize(
    ("names", "source", "message"),
    [
        ([], ".", "the folder is empty"),
        ([], "missing", "no such file or folder"),
        (["a.csv", "b.png"], ".", "to read a table, give its path: .*a.csv"),
        (["b.png"], ".", "no .txt or .md file .*b.png"),
        (["b.png"], "b.png", "give a folder, or one of .txt, .md"),
        ([os.fsdecode(b"\xff.txt")], ".", "name is not UTF-8"),
    ],
)
def test_a_source_without_documents_is_refused(tmp_path: Path, names: list[str], source: str, message: str) -> None:
    for name in names:
        (tmp_path / name).write_text("text")
    with pytest.raises(BadInput, match=message):
        source_files(tmp_path / source)


@pytest.mark.parametrize(("source", "expected"), [("gs://bucket/prefix", True), ("/data/gs", False), ("", False)])
def test_a_bucket_is_known_by_its_scheme(source: str, expected: bool) -> None:
    assert is_bucket(source) is expected
