"""Copies between a folder and a bucket of the emulator, byte for byte."""

from pathlib import Path
from typing import Any

import pytest

from robo_poet.errors import BadInput
from robo_poet.features.prompt_snapshot import PromptSnapshot, count_passages, write_snapshot
from robo_poet.registry.copying import FolderFiles, copy, models, open_files
from robo_poet.registry.log.entry import Conflict, Corrupt
from robo_poet.registry.registry import Registry
from robo_poet.registry.storage.bucket import BucketFiles
from robo_poet.registry.trust.trust import Trust
from tests.robo_poet.registry.conftest import Register


@pytest.fixture
def used(registry: Registry, add: Register) -> Registry:
    for seed in (1, 2, 3):
        add(registry, seed)
    registry.promote(1, who="ada", why="first")
    registry.reject(3, who="ada", why="bad")
    registry.purge(3, who="ada", why="disk space")
    return registry


def test_snapshots_of_prompts_are_copied_and_checked(used: Registry, tmp_path: Path) -> None:
    path = write_snapshot(used.root, PromptSnapshot("poems", "2026-03-01", "2026-03-02", 6, {}, count_passages([("the night", None)] * 9)))
    path.with_name(f".{path.name}.left").write_text("a process was killed")
    for name in ("copy", "copy"):
        copy(FolderFiles(used.root), FolderFiles(tmp_path / name), "poems", Trust())
    assert content(tmp_path / "copy" / "poems" / "prompts") == {path.name: path.read_bytes()}
    path.write_text("changed")
    with pytest.raises(Corrupt, match=f"{path.name}: the file was changed"):
        copy(FolderFiles(used.root), FolderFiles(tmp_path / "other"), "poems", Trust())


def content(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def bucket(gcs: Any) -> str:
    gcs.create_bucket("copies")
    return "gs://copies"


def test_a_copy_to_a_bucket_and_back_is_byte_equal(used: Registry, add: Register, bucket: str, tmp_path: Path) -> None:
    trust, remote, back = Trust(), open_files(f"{bucket}/a"), FolderFiles(tmp_path / "back")
    assert isinstance(remote, BucketFiles)
    first = copy(open_files(str(used.root)), remote, "poems", trust)
    assert (first.versions, first.appended, first.entries) == (2, 6, 6)
    add(used, 4)
    again = copy(FolderFiles(used.root), remote, "poems", trust)
    assert (again.versions, again.appended, again.entries) == (3, 1, 7)
    assert models(remote) == ["poems"]
    (tmp_path / "back").mkdir()
    copy(remote, back, "poems", trust)
    same = content(tmp_path / "back")
    assert same == {name: data for name, data in content(used.root).items() if name in same}
    assert set(content(used.root)) - set(same) == {f"poems/attestations/{used.state().record(3).attestation}.json"}  # of a purged version
    copied = Registry(tmp_path / "back", "poems")
    assert len(copied.verify()) == 3
    copied.start_canary(2, who="bob", why="it can be used")


def test_a_damaged_source_or_another_target_stops_the_copy(used: Registry, add: Register, tmp_path: Path) -> None:
    trust = Trust()
    other = Registry(tmp_path / "other", "poems")
    add(other, 9)
    with pytest.raises(Conflict, match="00000001.json: the target has another log; copy to another target"):
        copy(FolderFiles(used.root), FolderFiles(other.root), "poems", trust)
    with pytest.raises(Conflict, match="the target has 6 log entries, and the source only 1"):
        copy(FolderFiles(other.root), FolderFiles(used.root), "poems", trust)
    with pytest.raises(BadInput, match="there is no model odes"):
        copy(FolderFiles(used.root), FolderFiles(tmp_path / "x"), "odes", trust)
    weights = used.version(2).folder / "model" / "weights"
    weights.chmod(0o644)
    weights.write_text("forged")
    with pytest.raises(Corrupt, match="model/weights: the file was changed after the registration"):
        copy(FolderFiles(used.root), FolderFiles(tmp_path / "x"), "poems", trust)
    assert not (tmp_path / "x" / "poems" / "log").exists()  # versions come first: no entry speaks of a missing version
    weights.write_text("2")
    assert copy(FolderFiles(used.root), FolderFiles(tmp_path / "x"), "poems", trust).appended == 6
