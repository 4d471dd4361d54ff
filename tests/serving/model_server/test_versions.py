"""Sets of versions that become one another, with servables that only know whether they are closed."""

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.model_server.config import ModelConfig
from serving.model_server.errors import CallError
from serving.model_server.versions import LoadedVersions, VersionState


class Servable:
    def __init__(self, folder: Path) -> None:
        if (folder / "damaged").exists():
            raise ValueError("no such SavedModel")
        self.folder, self.closed, self.warm = folder, False, threading.Event()

    def warm_first(self) -> None:
        pass

    def warm_rest(self) -> None:
        self.warm.set()

    def close(self) -> None:
        self.closed = True


def base(folder: Path, *numbers: int) -> Path:
    for number in numbers:
        (folder / str(number)).mkdir(parents=True, exist_ok=True)
    return folder


def served(versions: LoadedVersions, name: str = "m") -> set[int]:
    return {number for model, number, _ in versions.loaded() if model == name}


@pytest.fixture
def versions() -> LoadedVersions:
    return LoadedVersions(Servable, lambda line: None)


def test_new_versions_load_before_old_ones_are_unloaded(versions: LoadedVersions, tmp_path: Path) -> None:
    folder = base(tmp_path, 1, 2, 3)
    versions.apply({"m": ModelConfig(folder, (1,), labels={"stable": 1})})
    first = versions.choose("m", label="stable").servable
    versions.apply({"m": ModelConfig(folder, (2, 3), labels={"stable": 2, "canary": 3})})
    assert served(versions) == {2, 3} and first.closed  # type: ignore[attr-defined]
    assert versions.choose("m", label="canary").number == 3 == versions.choose("m").number
    assert versions.choose("m", 2).number == versions.choose("m", label="stable").number == 2
    assert {number: status.state for number, status in versions.statuses("m").items()} == {
        3: VersionState.AVAILABLE,
        2: VersionState.AVAILABLE,
        1: VersionState.END,
    }


def test_the_last_version_stays_when_its_successor_fails_to_load(versions: LoadedVersions, tmp_path: Path) -> None:
    folder = base(tmp_path, 1, 2)
    (folder / "2" / "damaged").touch()
    versions.apply({"m": ModelConfig(folder, (1,), labels={"stable": 1})})
    versions.apply({"m": ModelConfig(folder, (2,), labels={"stable": 2})})
    assert served(versions) == {1} and versions.choose("m", label="stable").number == 1
    assert versions.statuses("m", 2)[2].state is VersionState.END and "no such SavedModel" in versions.statuses("m", 2)[2].error
    versions.apply({"m": ModelConfig(folder, (7,))})  # a folder that is not there
    assert served(versions) == {1}


def test_a_failed_load_is_retried_after_30_seconds(tmp_path: Path) -> None:
    now, folder = [0.0], base(tmp_path, 1)
    versions = LoadedVersions(Servable, lambda line: None, lambda: now[0])
    (folder / "1" / "damaged").touch()
    versions.apply({"m": ModelConfig(folder, (1,))})
    (folder / "1" / "damaged").unlink()
    now[0] = 29.0
    versions.apply({"m": ModelConfig(folder, (1,))})
    assert served(versions) == set()
    now[0] = 31.0
    versions.apply({"m": ModelConfig(folder, (1,))})
    assert served(versions) == {1}


def test_a_version_is_reloaded_when_its_folder_holds_another_model(versions: LoadedVersions, tmp_path: Path) -> None:
    folder = base(tmp_path / "served", 1)
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "saved_model.pb").touch()
    link = folder / "1" / "saved_model.pb"
    link.symlink_to(tmp_path / "one" / "saved_model.pb")
    versions.apply({"m": ModelConfig(folder, (1,))})
    first = versions.choose("m").servable
    versions.apply({"m": ModelConfig(folder, (1,))})
    assert versions.choose("m").servable is first
    link.unlink()
    link.symlink_to(tmp_path / "two" / "saved_model.pb")
    versions.apply({"m": ModelConfig(folder, (1,))})
    second = versions.choose("m").servable
    assert second is not first and first.closed and not second.closed  # type: ignore[attr-defined]
    link.unlink()
    link.symlink_to(tmp_path / "three" / "saved_model.pb")
    (folder / "1" / "damaged").touch()
    versions.apply({"m": ModelConfig(folder, (1,))})
    assert versions.choose("m").servable is second and versions.statuses("m", 1)[1].state is VersionState.AVAILABLE


def test_a_model_that_is_no_longer_configured_is_unloaded(versions: LoadedVersions, tmp_path: Path) -> None:
    versions.apply({"m": ModelConfig(base(tmp_path / "m", 1)), "n": ModelConfig(base(tmp_path / "n", 1))})
    versions.apply({"m": ModelConfig(tmp_path / "m")})
    assert served(versions) == {1} and served(versions, "n") == set()
    with pytest.raises(CallError, match=r"Servable not found for request: Latest\(n\)"):
        versions.choose("n")


def test_an_unknown_version_or_label_is_named_in_the_error(versions: LoadedVersions, tmp_path: Path) -> None:
    versions.apply({"m": ModelConfig(base(tmp_path, 1))})
    for asked, told in (((9, None), r"Specific\(m, 9\)"), ((None, "canary"), "Unrecognized servable version label: canary")):
        with pytest.raises(CallError, match=told):
            versions.choose("m", *asked)
    with pytest.raises(CallError, match="Could not find version 9 of model m"):
        versions.statuses("m", 9)


@given(st.lists(st.tuples(st.sets(st.integers(1, 5), min_size=1), st.integers(1, 5), st.sets(st.integers(1, 5))), min_size=1, max_size=8))
def test_a_version_always_serves_and_labels_point_to_loaded_versions(
    tmp_path_factory: pytest.TempPathFactory, sets: list[tuple[set[int], int, set[int]]]
) -> None:
    folder = base(tmp_path_factory.mktemp("base"), 1, 2, 3, 4, 5)
    versions = LoadedVersions(Servable, lambda line: None)
    for wanted, stable, damaged in sets:
        for number in range(1, 6):
            (folder / str(number) / "damaged").unlink(missing_ok=True)
            if number in damaged:
                (folder / str(number) / "damaged").touch()
        before = served(versions)
        versions.apply({"m": ModelConfig(folder, tuple(sorted(wanted)), labels={"stable": stable})})
        after = served(versions)
        assert after or not before
        assert set(versions.labels("m").values()) <= after
        assert not any(one.closed for _, _, one in versions.loaded())  # type: ignore[attr-defined]
        if wanted & after:
            assert after - wanted <= set(versions.labels("m").values())
