import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.errors import BadInput
from robo_poet.registry.log.entry import Corrupt
from robo_poet.registry.state.state import Stage
from robo_poet.registry.versions.version import Manifest, Version, digest_sources, finite_metrics, list_sources, write_version

FILES = {"model/a": "1" * 64, "model/b": "2" * 64}


def manifest(**changes: Any) -> Manifest:
    return Manifest(
        **{
            "model": "poems",
            "files": FILES,
            "metrics": {"bleu": 0.1},
            "lineage": {"seed": 42},
            "decision": {"verdict": "accepted"},
            **changes,
        }
    )


def test_a_version_is_read_back() -> None:
    assert Manifest.from_bytes(manifest().to_bytes()) == manifest()


@given(st.permutations(sorted(FILES)))
def test_the_digest_does_not_depend_on_the_order(names: list[str]) -> None:
    assert manifest(files={name: FILES[name] for name in names}).digest == manifest().digest


@pytest.mark.parametrize("change", [{"files": {}}, {"metrics": {"bleu": 0.2}}, {"lineage": {"seed": 43}}, {"decision": {}}])
def test_the_digest_depends_on_everything(change: dict[str, Any]) -> None:
    assert manifest(**change).digest != manifest().digest


def test_a_metric_that_is_not_finite_is_none() -> None:
    odd: dict[str, Any] = {"a": 1.5, "b": math.nan, "c": math.inf, "d": None, "e": "12"}
    assert finite_metrics(odd) == {"a": 1.5, "b": None, "c": None, "d": None, "e": None}


def test_folders_are_walked_and_links_followed(tmp_path: Path) -> None:
    (tmp_path / "model" / "deep").mkdir(parents=True)
    (tmp_path / "model" / "empty").mkdir()
    (tmp_path / "model" / "deep" / "a").write_text("a")
    (tmp_path / "model" / "b").symlink_to(tmp_path / "model" / "deep" / "a")
    found = list_sources({"model": tmp_path / "model", "copy.txt": tmp_path / "model" / "b"})
    assert set(found) == {"model/deep/a", "model/b", "copy.txt"}
    assert len(set(digest_sources(found).values())) == 1


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "manifest.json"])
def test_a_name_has_to_be_plain(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        list_sources({name: tmp_path})


def test_a_version_needs_a_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        list_sources({"model": tmp_path / "none"})
    with pytest.raises(BadInput, match="needs at least one file"):
        list_sources({"model": tmp_path})
    with pytest.raises(BadInput, match="needs at least one file"):
        list_sources({})


@pytest.fixture
def stored(tmp_path: Path) -> Version:
    return store(tmp_path)


def store(place: Path) -> Version:
    (place / "in" / "variables").mkdir(parents=True)
    (place / "in" / "variables" / "data").write_bytes(bytes(range(50)))
    (place / "in" / "graph").write_bytes(b"graph")
    found = list_sources({"model": place / "in"})
    manifest = Manifest("poems", digest_sources(found), {}, {}, {})
    folder = write_version(place / "versions", found, manifest)
    return Version("poems", 1, manifest.digest, Stage.CANDIDATE, "test", folder)


def test_is_stored_whole_under_its_content(stored: Version) -> None:
    assert stored.folder.name == stored.digest[:16]
    assert sorted(stored.manifest().files) == ["model/graph", "model/variables/data"]
    assert (stored.folder / "model" / "graph").stat().st_mode & 0o777 == 0o444
    assert stored.folder.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in stored.folder.parent.iterdir()] == [stored.folder.name]
    stored.verify()


Harm = Callable[[Path], object]


def link(path: Path, target: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def write(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("")


HARMS: list[tuple[str, Harm]] = [
    ("model/graph is missing", lambda f: (f / "model/graph").unlink()),
    ("model/new was added", lambda f: write(f / "model/new")),
    ("model/nothing was added", lambda f: (f / "model/nothing").mkdir()),
    ("model/.hidden/x was added", lambda f: write(f / "model/.hidden/x")),
    ("model/link was added", lambda f: link(f / "model/link", f / "model/variables")),
    ("model/manifest.json was added", lambda f: write(f / "model/manifest.json")),
    ("manifest is missing", lambda f: (f / "manifest.json").unlink()),
    ("manifest is missing", shutil.rmtree),
    ("model/graph was changed", lambda f: link(f / "model/graph", f.parents[1] / "in/graph")),
    ("model/variables/data is missing, model/variables was added", lambda f: (f / "model/variables/data").unlink()),
]


@pytest.mark.parametrize(("message", "harm"), HARMS, ids=[message for message, _ in HARMS])
def test_missing_added_and_replaced_files_are_found(stored: Version, message: str, harm: Harm) -> None:
    harm(stored.folder)
    with pytest.raises(Corrupt, match=message):
        stored.verify()


def test_many_problems_are_counted(stored: Version) -> None:
    for number in range(5):
        (stored.folder / f"new{number}").write_text("")
    with pytest.raises(Corrupt, match="new0 was added, new1 was added, new2 was added and 2 more; restore"):
        stored.verify()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Version:
    return store(tmp_path_factory.mktemp("kept"))


@given(name=st.sampled_from(["model/graph", "model/variables/data", "manifest.json"]), data=st.data())
def test_any_changed_byte_is_found(kept: Version, name: str, data: st.DataObject) -> None:
    path = kept.folder / name
    before = path.read_bytes()
    raw = bytearray(before)
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    path.chmod(0o644)
    path.write_bytes(raw)
    try:
        with pytest.raises(Corrupt):
            kept.verify()
    finally:
        path.write_bytes(before)


def test_a_leftover_is_taken_over_if_it_is_whole(stored: Version, tmp_path: Path) -> None:
    before = (stored.folder / "manifest.json").stat().st_ino
    found = list_sources({"model": tmp_path / "in"})
    assert write_version(tmp_path / "versions", found, stored.manifest()) == stored.folder
    assert (stored.folder / "manifest.json").stat().st_ino == before


def test_a_damaged_leftover_is_named(stored: Version, tmp_path: Path) -> None:
    manifest = stored.manifest()
    (stored.folder / "new").write_text("")
    with pytest.raises(Corrupt, match=f"interrupted registration is damaged: new was added; remove {stored.folder}"):
        write_version(tmp_path / "versions", list_sources({"model": tmp_path / "in"}), manifest)


def test_a_file_that_changes_meanwhile_is_refused(stored: Version, tmp_path: Path) -> None:
    manifest = stored.manifest()
    shutil.rmtree(stored.folder)
    (tmp_path / "in" / "graph").write_text("another")
    with pytest.raises(BadInput, match="changed while it was registered"):
        write_version(tmp_path / "versions", list_sources({"model": tmp_path / "in"}), manifest)
    assert [path.name for path in (tmp_path / "versions").iterdir()] == []


def test_whoever_renames_second_takes_the_first_ones_folder(stored: Version, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = stored.manifest()
    monkeypatch.setattr(Path, "exists", lambda _: False)
    assert write_version(tmp_path / "versions", list_sources({"model": tmp_path / "in"}), manifest) == stored.folder
    assert [path.name for path in (tmp_path / "versions").iterdir()] == [stored.folder.name]
