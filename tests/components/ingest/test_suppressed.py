"""A source cannot bring a deleted document back."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from components.ingest.__main__ import main
from robo_poet.corpus.parquet import read_documents
from robo_poet.deletion.suppression import add_digests, list_digest, open_suppression

TEXTS = {f"{name}.txt": f"The poem number {name}.\nIt has two lines, in English." for name in ("one", "two", "three", "four")}


@pytest.fixture
def ingest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], int]:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "deletions"

    def run(source: Path) -> int:
        return main(["--source", str(source), "--source-digest", "", "--seed", "1", "--corpus", "corpus", "--dropped", "dropped",
                     "--suppression", str(folder), "--suppression-digest", list_digest(folder)])  # fmt: skip

    return run


def suppress(text: str) -> None:
    folder = Path("deletions")
    add_digests(folder, [open_suppression(folder).digest("text", text)])


def texts() -> list[str]:
    return sorted(document.text for document in read_documents(Path("corpus")))


def test_under_another_name_in_another_kind_of_source_and_edited(
    ingest: Callable[[Path], int], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    suppress(TEXTS["two.txt"])
    folder, table, single = tmp_path / "poems", tmp_path / "rows.jsonl", tmp_path / "all.txt"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / name.replace("two", "renamed")).write_text(text)
    table.write_text("".join(json.dumps({"text": text.upper()}) + "\n" for text in TEXTS.values()))
    single.write_text("\n---\n".join(text.replace("\n", "\r\n") for text in TEXTS.values()))
    for source in (folder, table, single):
        assert ingest(source) == 0
        assert len(texts()) == 3 and not any("number two" in text.lower() for text in texts())
        assert "warning: 1 of 4 documents were deleted on request" in capfd.readouterr().err


def test_all_documents(ingest: Callable[[Path], int], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "poems"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
        suppress(text)
    assert ingest(folder) == 2
    assert f"error: {folder}: all 4 documents were deleted on request; give another corpus" in capfd.readouterr().err


def test_a_list_without_key(ingest: Callable[[Path], int], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    suppress("x")
    Path("deletions/key").unlink()
    (tmp_path / "poem.txt").write_text("\n---\n".join(TEXTS.values()))
    assert ingest(tmp_path / "poem.txt") == 2
    assert "the key of the suppression list is missing" in capfd.readouterr().err
