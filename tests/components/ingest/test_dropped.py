"""Documents that the step leaves out: each is counted, named in the table with its reason, and in no split."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from robo_poet.corpus.curation.dropped import read_dropped
from robo_poet.corpus.parquet import read_documents
from robo_poet.deletion.suppression import add_digests, open_suppression

Run = Callable[..., int]
WORDS = "sea wind night rose bell stone river light bird snow harbour wall gull lamp door road field rain".split()


def text(seed: int, words: int = 80) -> str:
    rng = random.Random(seed)
    return " ".join(rng.choice(WORDS) for _ in range(words))


def rows(path: Path, *documents: dict[str, str]) -> Path:
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return path


def poems(count: int = 12) -> list[dict[str, str]]:
    return [{"id": f"p{n}", "text": text(n), "author": f"Author {n}"} for n in range(count)]


def near(original: dict[str, str], id_: str, word: int = 40) -> dict[str, str]:
    words = original["text"].split()
    words[word] = "o"
    return {**original, "id": id_, "text": " ".join(words[:-1])}


def dropped() -> dict[str, str]:
    return {row.id: row.why for row in read_dropped(Path("out/dropped"))}


def test_every_reason_is_counted_and_named(run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    documents = [
        *poems(), near(poems()[3], "near"), {"id": "same", "text": text(4)}, {"id": "none", "text": " "},
        {"id": "short", "text": "Two words"}, {"id": "refrain", "text": f"{text(50)}\nla\nla\nla\nla"},
    ]  # fmt: skip
    quality = {"min_words": 3, "max_repeated_line_share": 0.3}
    assert run(rows(tmp_path / "a.jsonl", *documents), quality=quality) == 0
    assert dropped() == {
        "near": "near-duplicate of p3 (similarity 0.91)", "same": "exact duplicate of p4", "none": "no text", "short": "too few words: 2",
        "refrain": "too large a share of repeated lines: 0.6",
    }  # fmt: skip
    metrics = json.loads(Path("out/metrics").read_text())
    assert {key: value for key, value in metrics.items() if key.startswith("dropped")} == {
        "dropped": 5, "dropped_empty": 1, "dropped_exact_duplicate": 1, "dropped_few_words": 1, "dropped_near_duplicate": 1,
        "dropped_repeated_lines": 1,
    }  # fmt: skip
    assert metrics["documents"] == 12 == len(list(read_documents(Path("out/corpus"))))
    err = capfd.readouterr().err
    assert "warning: 1 of 17 documents are near-duplicates of another document and were dropped: near (of p3, 0.91)" in err
    assert "warning: 1 of 17 documents were dropped by ingest.quality (too few words)" in err
    table = json.dumps(pq.read_table("out/dropped").to_pylist())
    assert not any(text(seed)[:12] in table for seed in range(60)) and "Two words" not in table, "never text"
    assert json.loads(Path("out/executor.json").read_text())["parameterValues"]["dropped_digest"]


@pytest.mark.parametrize("seed", range(4))
def test_no_near_duplicate_is_on_two_sides_of_a_split(run: Run, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    documents = poems(30)
    documents += [near(rng.choice(documents), f"near{n}", rng.randrange(79)) for n in range(20)]
    rng.shuffle(documents)
    assert run(rows(tmp_path / "a.jsonl", *documents)) == 0
    first = {document.text for document in read_documents(Path("out/corpus"))}
    assert len(first) == 30
    rng.shuffle(documents)
    assert run(rows(tmp_path / "a.jsonl", *documents)) == 0
    assert {document.text for document in read_documents(Path("out/corpus"))} == first, "in any order of the documents"


@pytest.mark.parametrize(("setting", "kept"), [("keep", 31), ("warn", 31), ("drop", 30)])
def test_near_duplicates_can_be_kept(run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str], setting: str, kept: int) -> None:
    documents = [*poems(30), near(poems(30)[7], "near")]
    assert run(rows(tmp_path / "a.jsonl", *documents), near_duplicates=setting) == 0
    assert len(list(read_documents(Path("out/corpus")))) == kept
    assert ("near-duplicates" in capfd.readouterr().err) == (setting != "keep")


def test_near_duplicates_in_two_splits_are_warned_of(run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    documents = [document for n in range(12) for document in (poems()[n], near(poems()[n], f"near{n}"))]
    assert run(rows(tmp_path / "a.jsonl", *documents), near_duplicates="warn") == 0
    assert "near-duplicates are in another split than the document that they repeat" in capfd.readouterr().err
    grouped = [{**document, "group": document["author"]} for document in documents]
    assert run(rows(tmp_path / "a.jsonl", *grouped), near_duplicates="warn") == 0
    assert "in another split" not in capfd.readouterr().err


def test_bounds_can_be_tried_before_documents_are_dropped(run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    quality: dict[str, Any] = {"action": "warn", "min_words": 3}
    assert run(rows(tmp_path / "a.jsonl", *poems(), {"text": "Two words"}), quality=quality) == 0
    assert "1 of 13 documents were kept by ingest.quality (too few words)" in capfd.readouterr().err
    assert len(list(read_documents(Path("out/corpus")))) == 13 and not dropped()


def test_too_few_works_are_left(run: Run, tmp_path: Path, one_line: Callable[[], str]) -> None:
    documents = [*poems(2), near(poems()[0], "near"), near(poems()[1], "near2"), {"text": "Two words"}]
    assert run(rows(tmp_path / "a.jsonl", *documents), quality={"min_words": 3}) == 2
    line = one_line()
    assert "2 works are left, and a split needs 3; documents dropped: " in line
    assert "near-duplicate: 2" in line and "too few words: 1" in line


def test_copies_of_a_near_duplicate_of_a_deleted_document_are_not_named(
    run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "deletions"
    add_digests(folder, [open_suppression(folder).digest("text", text(5))])
    again = [{**near(poems()[5], "near"), "id": name} for name in ("near-one", "near-two", "near-three")]
    assert run(rows(tmp_path / "a.jsonl", *poems(), *again), suppression=folder) == 0
    assert {(row.id, row.author, row.duplicate_of, row.why) for row in read_dropped(Path("out/dropped"))} == {
        ("", "", "", "deleted on request")
    }
    assert json.loads(Path("out/metrics").read_text())["dropped_deleted_on_request"] == 4
    assert "near-" not in capfd.readouterr().err.replace("near-duplicates", "")


@pytest.mark.parametrize(("setting", "kept"), [("drop", 11), ("warn", 11), ("keep", 13)])
def test_no_near_duplicate_takes_the_place_of_a_document_deleted_on_request(
    run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str], setting: str, kept: int
) -> None:
    folder = tmp_path / "deletions"
    add_digests(folder, [open_suppression(folder).digest("text", text(5))])
    longer = {**poems()[5], "id": "longer", "text": text(5) + " and one more line"}
    source = rows(tmp_path / "a.jsonl", near(poems()[5], "near"), *poems(), longer)
    assert run(source, suppression=folder, near_duplicates=setting) == 0
    assert len(list(read_documents(Path("out/corpus")))) == kept
    assert {(row.id, row.author, row.duplicate_of, row.why) for row in read_dropped(Path("out/dropped"))} == {
        ("", "", "", "deleted on request")
    }
    assert json.loads(Path("out/metrics").read_text())["dropped_deleted_on_request"] == 14 - kept
    err = capfd.readouterr().err
    assert ("2 of 13 documents are near-duplicates of documents that were deleted on request and were dropped" in err) == (
        setting != "keep"
    )
