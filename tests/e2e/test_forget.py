"""A scene is deleted after a real run: nothing of it is left, the version is listed and unchanged, and the cache does not bring it back."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from robo_poet.corpus.parquet import read_documents
from robo_poet.deletion.wording import Quotes
from robo_poet.registry.registry import Registry
from tests.e2e.conftest import FirstRun, Shell


@pytest.fixture
def after_run(first_run: FirstRun, tmp_path: Path) -> Shell:
    shutil.copytree(first_run.copy, tmp_path / "person", symlinks=True)
    return Shell(tmp_path / "person")


def texts(path: Path) -> str:
    data = path.read_bytes()
    if data.startswith(b"PAR1"):
        return json.dumps(pa.Table.to_pylist(pq.read_table(path)), default=str, ensure_ascii=False)
    return data.decode("utf-8", "replace")


def test_a_scene_is_deleted(after_run: Shell) -> None:
    corpora = list((after_run.folder / ".store" / "done").glob("*/artifacts/corpus"))
    document = next(d for d in read_documents(corpora[0]) if d.split == "train" and d.size > 1_000)
    shown = after_run.json("forget", "--document", document.id)
    assert shown["counts"]["documents"] == 1 and shown["counts"]["run"] == 1
    (version,) = shown["versions"]
    assert (version["splits"], version["do"]) == ({"train": 1}, "retrain")
    cached = len(list((after_run.folder / ".store" / "done").iterdir()))
    assert shown["counts"]["cache entry"] == cached, "all results come from this corpus"
    after_run.type("forget", "--document", document.id, "--yes")
    quotes = Quotes(texts=[document.text])
    places = [after_run.folder / name for name in (".store", "runs", "deletions", "registry")]
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    assert [path for path in files if path.suffix not in (".keras", ".h5", ".pb") and quotes.match(texts(path))] == []
    Registry(after_run.folder / "registry", "ci-shakespeare").verify()
    again = after_run.type("forget", "--document", document.id, "--yes")
    assert "no stored document, file or record matches" in again and "still stored: ci-shakespeare/1" in again
    assert "suppressed" in "".join(path.name for path in (after_run.folder / "deletions").iterdir())
    traced = after_run.json("data", "trace", "--document", document.id)
    assert traced["documents"] == [] and traced["deleted"][0]["versions"][0]["version"] == "ci-shakespeare/1"
