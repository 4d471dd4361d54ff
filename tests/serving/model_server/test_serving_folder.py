from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.registry import Registry
from serving.model_server.config import read_config
from serving.model_server.serving_folder import EXTRA_FOLDER, WARM_UP_FILE, ServingFolder, lay_out
from tests.serving.model_server.conftest import register


def test_the_champion_is_copied_by_number_with_the_label_stable(registry: Registry, tmp_path: Path) -> None:
    served = read_config(lay_out(registry, tmp_path / "models"))["shakespeare"]
    assert set(served.version_folders()) == {1} and served.labels == {"stable": 1}


@pytest.mark.parametrize(("xla", "name"), [(True, f"{WARM_UP_FILE}_xla"), (False, WARM_UP_FILE)])
def test_the_warm_up_requests_are_those_of_the_servers_signatures(xla: bool, name: str, registry: Registry, tmp_path: Path) -> None:
    copied = lay_out(registry, tmp_path / "models", xla=xla).parent / "shakespeare" / "1" / EXTRA_FOLDER / WARM_UP_FILE
    extra = registry.version(1).folder / "model" / "saved_model" / EXTRA_FOLDER
    assert copied.read_bytes() == (extra / name).read_bytes()
    assert (extra / WARM_UP_FILE).read_bytes() != (extra / f"{WARM_UP_FILE}_xla").read_bytes()


def test_the_canary_is_added_with_its_label(registry: Registry, tmp_path: Path) -> None:
    config = lay_out(registry, tmp_path / "models")
    registry.start_canary(2, who="test", why="to be tried")
    before = config.stat().st_ino
    lay_out(registry, config.parent)
    served = read_config(config)["shakespeare"]
    assert set(served.version_folders()) == {1, 2} and served.labels == {"stable": 1, "canary": 2}
    assert before != config.stat().st_ino  # replaced atomically: a server never reads half a file


def test_a_former_champion_stays_while_it_keeps_users(registry: Registry, tmp_path: Path) -> None:
    registry.start_canary(2, who="test", why="to be tried")
    registry.promote(2, who="test", why="better", watch_share=0.05)
    config = lay_out(registry, tmp_path / "models")
    served = read_config(config)["shakespeare"]
    assert set(served.version_folders()) == {1, 2} and served.labels == {"stable": 2, "former": 1}
    tamper(registry, 1, "saved_model.pb")
    models = ServingFolder(registry, tmp_path / "other")
    assert read_config(models.lay_out())["shakespeare"].labels == {"stable": 2} and "the former champion is left out" in models.trouble
    registry.end_watch(2, who="test", why="enough")
    assert read_config(lay_out(registry, config.parent))["shakespeare"].labels == {"stable": 2}


def test_an_unchanged_configuration_is_not_written_again(registry: Registry, tmp_path: Path) -> None:
    config = lay_out(registry, tmp_path / "models")
    before = config.stat().st_mtime_ns
    lay_out(registry, config.parent)
    assert config.stat().st_mtime_ns == before


def test_changed_files_are_not_served(registry: Registry, toy_training: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    number = register(registry, toy_training, toy_tokenizer, "three")
    registry.start_canary(number, who="test", why="to be tried")
    config = lay_out(registry, tmp_path / "models")
    assert read_config(config)["shakespeare"].labels == {"stable": 1, "canary": number}

    tamper(registry, number, "saved_model.pb")
    models = ServingFolder(registry, tmp_path / "models")  # a new process, which finds the copies of the one before
    assert read_config(models.lay_out())["shakespeare"].labels == {"stable": 1}
    assert "the canary is left out" in models.trouble and "saved_model.pb was changed" in models.trouble
    tamper(registry, 1, "variables.data-00000-of-00001")
    for folder in ("models", "new"):
        with pytest.raises(BadInput, match="variables.data-00000-of-00001 was changed"):
            lay_out(registry, tmp_path / folder)
    assert not (tmp_path / "new" / "models.config").exists()


def tamper(registry: Registry, number: int, name: str) -> None:
    [path] = registry.version(number).folder.rglob(name)
    path.chmod(0o644)
    path.write_bytes(bytes(path.stat().st_size))


def test_a_registry_without_champion_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no champion yet; to train one"):
        lay_out(Registry(tmp_path / "none", "shakespeare"), tmp_path / "models")


def test_a_model_without_champion_names_its_latest_version(toy_training: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    """A rejected model was once told to train another one."""
    registry = Registry(tmp_path / "registry", "poems")
    registry.reject(register(registry, toy_training, toy_tokenizer, "poor"), who="test", why="poor")
    with pytest.raises(
        BadInput, match=r"no version is the champion; the latest is 1 \(rejected\); to see why: .*registry show 1 --model poems"
    ):
        lay_out(registry, tmp_path / "models")


def test_a_folder_of_another_registry_is_replaced(registry: Registry, toy_training: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    other = Registry(tmp_path / "other", "shakespeare")
    register(other, toy_training, toy_tokenizer, "another one")
    other.promote(1, who="test", why="the first")
    for store, xla in ((registry, True), (other, True), (other, False)):
        copy = lay_out(store, tmp_path / "models", xla=xla).parent / "shakespeare" / "1"
        original = store.version(1).folder / "model" / "saved_model"
        assert (copy / "saved_model.pb").read_bytes() == (original / "saved_model.pb").read_bytes()
        replayed = (copy / EXTRA_FOLDER / WARM_UP_FILE).read_bytes()
        assert replayed == (original / EXTRA_FOLDER / (WARM_UP_FILE + ("_xla" if xla else ""))).read_bytes()


def test_a_change_of_the_registry_after_the_verification_does_not_reach_the_model_server(registry: Registry, tmp_path: Path) -> None:
    models = ServingFolder(registry, tmp_path / "models")
    copy = models.lay_out().parent / "shakespeare" / "1"
    before = {path.name: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    assert not any(path.is_symlink() for path in copy.rglob("*"))
    tamper(registry, 1, "saved_model.pb")
    models.lay_out()
    assert {path.name: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before
    with pytest.raises(BadInput, match="saved_model.pb was changed"):
        lay_out(registry, tmp_path / "models")


def test_a_damaged_or_linked_copy_is_made_again(registry: Registry, tmp_path: Path) -> None:
    copy = lay_out(registry, tmp_path / "models").parent / "shakespeare" / "1"
    for damage in (lambda: (copy / "saved_model.pb").write_bytes(b"x"), lambda: (copy / "more").write_bytes(b"x"), lambda: _link(copy)):
        damage()
        lay_out(registry, tmp_path / "models")
        assert not any(path.is_symlink() for path in copy.rglob("*")) and not (copy / "more").exists()
        assert len((copy / "saved_model.pb").read_bytes()) > 1


def _link(copy: Path) -> None:
    (copy / "saved_model.pb").rename(copy.parent / "aside")
    (copy / "saved_model.pb").symlink_to(copy.parent / "aside")
