"""The folder of a model server against a simulated one. Covers: copies."""

import errno
import logging
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.registry import Registry
from serving.model_server.config import read_config
from serving.model_sync import config_file
from serving.model_sync.plan import Config
from serving.model_sync.sync import SILENT_SECONDS, ModelSync, lay_out
from tests.serving.model_sync.released import SAID, WARM_UP, is_whole, release, small_registry, tamper
from tests.serving.model_sync.simulated_server import SimulatedServer


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Served:
    """A folder with a program under test and a simulated model server."""

    def __init__(self, registry: Registry, folder: Path) -> None:
        self.registry, self.base, self.server, self.clock = registry, folder / "models" / registry.model, SimulatedServer(), Clock()
        self.lost = False
        self.sync = self.again()
        lay_out(registry, self.base.parent)
        self.server.start(self.config())

    def again(self) -> ModelSync:
        """Return the program of a new process."""
        self.sync = ModelSync(self.registry, self.base.parent, self, grace=10, clock=self.clock)  # type: ignore[arg-type]
        return self.sync

    def ask(self, *, stable: bool) -> object:
        return None if self.lost else self.server.ask(stable=stable)

    def config(self) -> Config:
        return config_file.read(self.base)

    def copies(self) -> set[int]:
        """Return the numbers in the folder. Each copy is whole, and nothing else is there."""
        assert all(is_whole(self.registry, path) for path in self.base.iterdir())
        return {int(path.name) for path in self.base.iterdir()}

    def turn(self, seconds: float = 0) -> tuple[str, ...]:
        """Let the time pass. Look, then let the server read the file and work. Return the troubles."""
        self.clock.now += seconds
        troubles = self.sync.look().troubles
        self.server.read(self.config())
        self.server.work()
        assert self.server.refused == [] and self.server.cut_off == []
        return troubles


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return small_registry(tmp_path, 3)


@pytest.fixture
def served(registry: Registry, tmp_path: Path) -> Served:
    served = Served(registry, tmp_path)
    served.server.work()
    assert served.turn() == () and served.server.labels == {"stable": 1}
    return served


def test_the_first_layout_has_the_champion_and_no_label(registry: Registry, tmp_path: Path) -> None:
    """TensorFlow Serving refuses to start with a label."""
    registry.start_canary(2, **SAID)
    config = read_config(lay_out(registry, tmp_path / "models"))["poems"]
    assert set(config.version_folders()) == {1, 2} and config.labels == {}


def test_a_promotion_loads_moves_the_labels_and_unloads_after_the_longest_request(served: Served) -> None:
    release(served.registry, 2, watch_share=0.05)
    served.turn()
    assert served.config() == Config(frozenset({1, 2}), {"stable": 1, "former": 1})
    served.turn()
    assert served.config().labels == served.server.labels == {"stable": 2, "former": 1}
    served.turn(3600)
    assert served.config().versions == {1, 2} and served.copies() == {1, 2}  # it keeps users
    served.registry.end_watch(2, **SAID)
    for seconds in (0, 0, 9.9):
        served.turn(seconds)
        assert served.config() == Config(frozenset({1, 2}), {"stable": 2})
    served.turn(0.1)
    assert served.config() == Config(frozenset({2}), {"stable": 2}) and served.copies() == {1, 2}
    served.turn()
    assert served.copies() == {2} and served.server.states == {1: "END", 2: "AVAILABLE"}


def test_a_new_process_waits_again_before_it_unloads(served: Served) -> None:
    release(served.registry, 2)
    for seconds in (0, 0, 0, 9):
        served.turn(seconds)
    served.again()
    for seconds in (9, 9):
        served.turn(seconds)
        assert served.config().versions == {1, 2}
    served.turn(1)
    assert served.config().versions == {2}


def test_a_server_that_does_not_answer_keeps_all_files(served: Served) -> None:
    release(served.registry, 2)
    served.turn()
    served.lost = True
    for seconds in (0, 30):
        assert served.turn(seconds) == ()
    assert served.turn(SILENT_SECONDS) == ("the model server does not answer; no label moves, and nothing is unloaded",)
    assert served.config() == Config(frozenset({1, 2}), {"stable": 1}) and served.copies() == {1, 2}
    served.lost = False
    for seconds in (0, 0, 10, 0):
        assert served.turn(seconds) == ()
    assert served.config() == Config(frozenset({2}), {"stable": 2}) and served.copies() == {2}


def test_a_version_that_the_server_cannot_load_gets_no_label(served: Served) -> None:
    served.server.broken = {2}
    release(served.registry, 2)
    served.turn()
    for _ in range(3):
        assert served.turn(3600) == ("version 2 cannot be loaded by the model server: no such op",)
    assert served.config() == Config(frozenset({1, 2}), {"stable": 1}) and served.server.labels == {"stable": 1}
    served.registry.promote(1, **SAID)  # a person takes it back
    for seconds in (0, 10, 0):
        served.turn(seconds)
    assert served.config() == Config(frozenset({1}), {"stable": 1}) and served.copies() == {1}


def test_a_damaged_canary_is_left_out_and_the_champion_stays(served: Served) -> None:
    served.registry.start_canary(2, **SAID)
    tamper(served.registry, 2)
    [trouble] = served.turn()
    assert trouble.startswith("the canary is left out: ") and "saved_model.pb was changed" in trouble
    assert served.config() == Config(frozenset({1}), {"stable": 1}) and served.copies() == {1}


def test_a_version_without_a_signature_is_left_out(served: Served) -> None:
    served.registry.start_canary(2, **SAID)
    [attestation] = (served.registry.folder / "attestations").glob(f"{served.registry.version(2).attestation}*")
    attestation.unlink()
    [trouble] = served.turn()
    assert trouble.startswith("the canary is left out: ") and served.copies() == {1}


def test_a_champion_damaged_before_its_copy_leaves_the_former_one_in_service(served: Served) -> None:
    release(served.registry, 2)
    tamper(served.registry, 2)
    for _ in range(3):
        [trouble] = served.turn(3600)
        assert trouble.startswith("the champion is left out, and the loaded versions stay in service: ")
    assert not served.sync.look().ready
    assert served.config() == Config(frozenset({1}), {"stable": 1}) and served.copies() == {1}


def test_a_new_process_verifies_again_what_is_in_the_folder(served: Served) -> None:
    served.registry.start_canary(2, **SAID)
    served.turn()
    tamper(served.registry, 2)
    assert served.turn() == ()  # the copy was verified, and a change of the registry does not reach it
    assert served.copies() == {1, 2}
    served.again()
    [trouble] = served.turn()
    assert trouble.startswith("the canary is left out: ") and served.server.labels == {"stable": 1}


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    served.registry.start_canary(2, **SAID)
    with monkeypatch.context() as patched:
        patched.setattr("serving.model_sync.copies.sync_tree", full)
        [trouble] = served.turn()
    assert trouble == "the canary is left out: [Errno 28] No space left on device" and served.copies() == {1}
    assert served.turn() == () and served.copies() == {1, 2}


def test_a_registry_that_cannot_be_read_changes_nothing(served: Served) -> None:
    served.registry.root.rename(served.registry.root.with_name("away"))
    before = served.config()
    with pytest.raises(BadInput):
        served.sync.look()
    assert served.config() == before and {path.name for path in served.base.iterdir()} == {"1"}


def test_a_damaged_or_linked_copy_is_made_again(served: Served) -> None:
    copy = served.base / "1"

    def link() -> None:
        (copy / "saved_model.pb").rename(served.base.parent / "aside")
        (copy / "saved_model.pb").symlink_to(served.base.parent / "aside")

    for damage in (lambda: (copy / "saved_model.pb").write_bytes(b"x"), lambda: (copy / "more").write_bytes(b"x"), link):
        damage()
        served.again()
        assert served.turn() == () and served.copies() == {1}
        assert not any(path.is_symlink() for path in copy.rglob("*"))


def test_the_warm_up_requests_are_those_of_the_servers_signatures(registry: Registry, tmp_path: Path) -> None:
    source = registry.version(1).folder / "model" / "saved_model"
    for xla, name in ((True, f"{WARM_UP}_xla"), (False, WARM_UP), (True, f"{WARM_UP}_xla")):
        copy = lay_out(registry, tmp_path / "models", xla=xla).parent / "poems" / "1"
        assert (copy / WARM_UP).read_bytes() == (source / name).read_bytes() and not (copy / f"{WARM_UP}_xla").exists()


def test_a_folder_of_another_registry_is_replaced(registry: Registry, tmp_path: Path) -> None:
    lay_out(registry, tmp_path / "models")
    other = small_registry(tmp_path / "other", 1, size=50)
    assert is_whole(other, lay_out(other, tmp_path / "models").parent / "poems" / "1")


def test_nothing_is_prepared_without_a_good_champion(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no champion yet; to train one"):
        lay_out(Registry(tmp_path / "none", "poems"), tmp_path / "models")
    registry = small_registry(tmp_path, 1)
    tamper(registry, 1)
    with pytest.raises(BadInput, match=r"saved_model\.pb was changed"):
        lay_out(registry, tmp_path / "models")
    assert not (tmp_path / "models" / "models.config").exists()


def test_only_changes_are_written_and_logged(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    path = served.base.parent / "models.config"
    inode = path.stat().st_ino
    with caplog.at_level(logging.INFO):
        served.turn()
        assert path.stat().st_ino == inode and caplog.messages == []
        release(served.registry, 2)
        for seconds in (0, 0, 0, 10, 0):
            served.turn(seconds)
    assert caplog.messages == [
        "version 2 was verified and copied to the folder",
        "models.config: versions 1, 2; labels stable → 1",
        "models.config: versions 1, 2; labels stable → 2",
        "models.config: versions 2; labels stable → 2",
        "version 1 was removed from the folder",
    ]


def test_what_killed_processes_left_is_removed(served: Served) -> None:
    (served.base / ".2.abc").mkdir()
    (served.base / ".removed-3.abc" / "3").mkdir(parents=True)
    left = served.base.parent / ".models.config.abc"
    left.write_text("half")
    served.again().clean()
    assert served.copies() == {1} and not left.exists()
