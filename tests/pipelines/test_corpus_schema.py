import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from components.validate_data.schema import CURATED
from pipelines.compile import run_parameters, settings_parameters
from pipelines.corpus_schema import LARGEST, corpus_of_run, ingested, read_schema_file
from pipelines.deletion.inventory import Folders, take_inventory
from pipelines.images.programs import ROOT
from pipelines.profile.load import load_profile
from pipelines.run.store.gc import apply_gc, plan_gc
from pipelines.run.store.store import Store
from robo_poet.corpus.parquet import count_documents
from robo_poet.digest import digest_bytes
from robo_poet.errors import BadInput
from robo_poet.features.features import VERSION

TAG = f'annotation {{ tag: "{VERSION}" }}\n'


def test_the_curated_schema_has_the_version_of_the_features() -> None:
    assert read_schema_file(str(CURATED)) == CURATED.read_text()
    assert read_schema_file("") == ""


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "no such file or directory; to write the file: "),
        (b"\xff\xfe", "not UTF-8 text; remove it, and write a new one: "),
        (TAG.encode() + b"\0", "not text: it contains a NUL character; "),
        (b"", f"the schema states no version; this release reads {VERSION!r}; remove it"),
        (b'annotation { tag: "robo-poet features 1" }', "the schema has the version 'robo-poet features 1'; this release reads "),
        (TAG.encode() + b"#" * LARGEST, "the schema has more than 64 kB; remove values of domains"),
    ],
)
def test_a_file_that_is_no_schema_is_one_line(tmp_path: Path, content: bytes | None, what: str) -> None:
    path = tmp_path / "a.pbtxt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput) as error:
        run_parameters(load_profile("ci", [f"validation.schema_file={path}"]).profile, source="", registry="")
    assert str(error.value).startswith(f"validation.schema_file: {path}: {what}") and "\n" not in str(error.value)


def test_a_folder_and_a_pipe_are_no_schema(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(BadInput):
            read_schema_file(str(path))


def test_the_text_reaches_the_step_and_its_digest_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "a.pbtxt"
    path.write_text(f"# own\n{TAG}")
    profile = load_profile("ci", [f"validation.schema_file={path}"]).profile
    parameters = run_parameters(profile, source="", registry="")
    assert parameters["schema"] == f"# own\n{TAG}"
    assert parameters["validation"]["schema_file"] == digest_bytes(path.read_bytes())
    assert str(tmp_path) not in json.dumps(parameters["lineage"])
    assert settings_parameters(load_profile("ci").profile)["validation"]["schema_file"] == ""


def test_a_source_is_ingested_as_in_a_run(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text(f"A poem of the sea, number {number}.\n")
    profile = load_profile("local", [f"local.store={tmp_path / '.store'}"]).profile
    with ingested(profile, str(tmp_path)) as corpus:
        assert count_documents(corpus) == 3
    assert not corpus.exists()
    with pytest.raises(BadInput, match="no such file or folder"), ingested(profile, str(tmp_path / "none")):
        pass
    assert not (tmp_path / ".store").exists(), "the commands only compare"


KILLED = """
import sys, time
from pipelines.corpus_schema import ingested
from pipelines.profile.load import load_profile
with ingested(load_profile("local", [f"local.store={sys.argv[1]}"]).profile, sys.argv[2]) as corpus:
    print(corpus, flush=True)
    time.sleep(600)
"""


def test_the_corpus_of_a_killed_command_goes_with_the_next_one(tmp_path: Path) -> None:
    store, poems = tmp_path / "store", tmp_path / "poems"
    poems.mkdir()
    for number in range(3):
        (poems / f"{number}.txt").write_text(f"A poem of the sea, number {number}.\n")
    command = [sys.executable, "-c", KILLED, str(store), str(poems)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        corpus = Path(process.stdout.readline().strip())
        assert count_documents(corpus) == 3 and corpus.parent.stat().st_mode & 0o777 == 0o700
        soon = time.time() + 7200
        assert plan_gc(store, tmp_path / "runs", now=soon) == [], "a command uses it"
        process.kill()
    assert corpus.exists()
    [removal] = plan_gc(store, tmp_path / "runs", now=soon)
    assert (removal.path, removal.why) == (corpus.parent, "left over from a killed command")
    folders = Folders(store, *(tmp_path / name for name in ("runs", "registry", "deletions", "requests", "reports")))
    assert [found.path for found in take_inventory(folders).corpora] == [corpus], "`forget` finds it"
    with Store(store).scratch() as other:
        assert not corpus.parent.exists() and other.path.is_dir()
        with Store(store).scratch() as third:
            assert other.path.is_dir() and third.path.is_dir(), "one that is in use stays"
    assert not list((store / "work").iterdir())
    assert apply_gc([removal], tmp_path / "runs", store=store) == []


def test_a_run_without_a_stored_corpus(tmp_path: Path) -> None:
    folders = Folders(*(tmp_path / name for name in ("store", "runs", "registry", "deletions", "requests", "reports")))
    with pytest.raises(BadInput, match="the corpus of this run is not stored; give CORPUS instead"):
        corpus_of_run(folders, tmp_path / "runs" / "1")
