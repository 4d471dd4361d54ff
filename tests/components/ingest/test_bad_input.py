"""What cannot be read: one line that says where and why, exit status 2, and no output."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from robo_poet.corpus.source_digest import source_digest

Run = Callable[..., int]
OneLine = Callable[[], str]

BAD: dict[str, tuple[dict[str, bytes], str, str]] = {
    "empty file": ({"a.txt": b"one", "b.txt": b"", "c.txt": b"three"}, "", "b.txt: the file is empty"),
    "blank file": ({"a.txt": b"one", "b.txt": b" \n"}, "", "b.txt: the file is empty"),
    "binary file": ({"a.txt": b"one", "b.md": b"two\nand\0three"}, "", "b.md: a binary file (NUL at byte 7)"),
    "not UTF-8": ({"a.txt": "line\nñandú".encode("latin-1")}, "", "a.txt: not UTF-8 at byte 5 (0xf1)"),
    "one work": ({"a.txt": b"one"}, "", "holds 1 work, "),
    "two works": ({"a.txt": b"one", "b.txt": b"two"}, "", "holds 2 works, "),
    "all alike": ({"a.txt": b"one", "b.txt": b"one", "c.txt": b"one"}, "", "all 3 documents have the same text"),
    "empty folder": ({}, "", "in: the folder is empty"),
    "no texts": ({"a.doc": b"x"}, "", "in: no .txt or .md file in this folder"),
    "only a table": ({"a.csv": b"text\nx\n"}, "", "a.csv"),
    "no such path": ({}, "none", "none: no such file or folder"),
    "unknown kind": ({"a.doc": b"x"}, "a.doc", "a.doc: not a kind of file"),
    "one text file": ({"a.txt": b"only a poem"}, "a.txt", "holds 1 work, "),
    "malformed line": ({"a.jsonl": b'{"text": "x"}\n{"text": \n'}, "a.jsonl", "a.jsonl:2: not JSON: expecting value"),
    "no object": ({"a.jsonl": b'["text"]\n'}, "a.jsonl", "a.jsonl:1: a list and not a JSON object"),
    "no text": ({"a.jsonl": b'{"text": 3}\n'}, "a.jsonl", "a.jsonl:1: 'text' is int and not text"),
    "half a character": ({"a.jsonl": b'{"text": "\\ud800"}\n'}, "a.jsonl", "a.jsonl:1: half of a character"),
    "deep JSON": ({"a.jsonl": b"[" * 100_000}, "a.jsonl", "a.jsonl:1: not JSON"),
    "blank rows": ({"a.jsonl": b'{"text": ""}\n{"text": null}\n'}, "a.jsonl", "the corpus holds no text"),
    "empty table": ({"a.csv": b""}, "a.csv", "a.csv: no column 'text'; it has: none"),
    "binary table": ({"a.csv": b"text\nx\0y\n"}, "a.csv", "a.csv: a binary file (NUL at byte 6)"),
    "long row": ({"a.csv": b"text\nx\ny,z\n"}, "a.csv", "a.csv:3: the row has more cells"),
    "open quote": ({"a.csv": b'text\n"x'}, "a.csv", "a.csv:2: malformed CSV"),
    "no Parquet": ({"a.parquet": b"PAR1"}, "a.parquet", "a.parquet: not a Parquet file"),
    "same id": ({"a.csv": b"id,text\n1,x\n1,y\n"}, "a.csv", "1: two documents with different texts have this id"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line(run: Run, tmp_path: Path, one_line: OneLine, case: str) -> None:
    files, name, says = BAD[case]
    (tmp_path / "in").mkdir()
    for file, content in files.items():
        (tmp_path / "in" / file).write_bytes(content)
    assert run(tmp_path / "in" / name if name else tmp_path / "in") == 2
    assert says in one_line()


def test_a_column_that_the_profile_names_must_be_there(run: Run, tmp_path: Path, one_line: OneLine) -> None:
    (tmp_path / "a.csv").write_text("text,author\nx,y\n")
    assert run(tmp_path / "a.csv", columns={"author": "poet"}) == 2
    assert "no column 'poet'; it has: text, author" in one_line()


def test_undated_documents_have_no_order(run: Run, poems: Path, one_line: OneLine) -> None:
    assert run(poems, split_by="date") == 2
    assert "a.md: has no date" in one_line()


def test_a_source_that_changed(run: Run, poems: Path, one_line: OneLine) -> None:
    before = source_digest(str(poems))
    (poems / "a.md").write_text("changed")
    assert run(poems, before) == 2
    assert "poems: the source changed since the run was submitted" in one_line()


def test_a_file_that_may_not_be_read(run: Run, poems: Path, one_line: OneLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root reads everything, and tests may run as root: so the system's answer is put in."""
    real = Path.open

    def refuse(self: Path, *args: Any, **kwargs: Any) -> Any:
        if self.name == "b.txt":
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    assert run(poems) == 2
    assert "b.txt: permission denied" in one_line()


def test_a_full_disk(tmp_path: Path) -> None:
    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    ended = subprocess.run(
        [sys.executable, "-m", "components.ingest", "--source", "", "--source-digest", "", "--seed", "42", "--corpus", tmp_path / "corpus"],
        preexec_fn=small_files, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": "."},
    )  # fmt: skip
    lines = [line for line in ended.stderr.splitlines() if not line.startswith(("[", "warning: "))]
    assert ended.returncode == 2
    assert len(lines) == 1, lines
    assert "file too large; nothing was half-written" in lines[0]
    assert list(tmp_path.iterdir()) == []
