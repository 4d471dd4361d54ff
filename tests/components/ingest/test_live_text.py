"""Prompts with consent beside a corpus."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from components.ingest.__main__ import main
from robo_poet.corpus.parquet import read_documents
from robo_poet.corpus.source_digest import source_digest


@pytest.fixture
def live(tmp_path: Path) -> Path:
    rows = [{"text": f"the long night of prompt {n}", "date": f"2026-03-0{n + 1}", "consent": "by the user"} for n in range(4)]
    path = tmp_path / "live-text-0123456789abcdef.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def ingest(source: Path, live: Path, digest: str) -> int:
    return main([
        "--source", str(source), "--source-digest", "", "--live-text", str(live), "--live-text-digest", digest, "--seed", "42",
        "--settings", json.dumps({"columns": {"text": "body"}}), "--corpus", "out/corpus", "--dropped", "out/dropped",
    ])  # fmt: skip


def test_the_corpus_has_the_documents_of_both_and_the_newest_prompts_test(
    poems: Path, live: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ingest(poems, live, source_digest(str(live))) == 0
    documents = list(read_documents(Path("out/corpus")))
    assert sorted(document.source for document in documents) == ["live"] * 4 + ["user"] * 3
    prompts = sorted((one for one in documents if one.source == "live"), key=lambda one: one.date)
    assert [one.split for one in prompts] == ["train", "train", "validation", "test"] and prompts[0].consent == "by the user"


def test_a_changed_or_removed_file_stops_the_step(
    poems: Path, live: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, one_line: Callable[[], str]
) -> None:
    monkeypatch.chdir(tmp_path)
    digest = source_digest(str(live))
    live.write_text(live.read_text() + json.dumps({"text": "one more"}) + "\n")
    assert ingest(poems, live, digest) == 2 and "the source changed since the run was submitted" in one_line()
    live.unlink()
    assert ingest(poems, live, digest) == 2 and "no such file; give a file of `requests corpus`" in one_line()
    assert ingest(poems, poems, "") == 2 and "live text is a .jsonl file" in one_line()
