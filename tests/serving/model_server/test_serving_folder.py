from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.registry import Registry
from serving.model_server.config import read_config
from serving.model_server.serving_folder import ServingFolder, lay_out
from tests.serving.model_server.conftest import register


def test_champion_and_canary_are_laid_out_by_number(registry: Registry, tmp_path: Path) -> None:
    config = lay_out(registry, tmp_path / "models")
    found = read_config(config)["robo-poet"]
    assert set(found.version_folders()) == {1} and found.labels == {"stable": 1}
    warm_up = config.parent / "robo-poet" / "1" / "assets.extra" / "tf_serving_warmup_requests"
    own = registry.version(1).folder / "model" / "saved_model" / "assets.extra"
    assert warm_up.read_bytes() == (own / "tf_serving_warmup_requests_xla").read_bytes()
    plain = lay_out(registry, tmp_path / "plain", xla=False).parent / "robo-poet" / "1" / "assets.extra" / "tf_serving_warmup_requests"
    assert plain.read_bytes() == (own / "tf_serving_warmup_requests").read_bytes() != warm_up.read_bytes()

    registry.start_canary(2, who="test", why="to be tried")
    before = config.stat().st_ino
    lay_out(registry, config.parent)
    found = read_config(config)["robo-poet"]
    assert set(found.version_folders()) == {1, 2} and found.labels == {"stable": 1, "canary": 2}
    lay_out(registry, config.parent)
    assert before != config.stat().st_ino  # replaced whole, once: a server never reads half of it
    after = config.stat().st_mtime_ns
    lay_out(registry, config.parent)
    assert config.stat().st_mtime_ns == after


def test_nothing_is_laid_out_that_is_not_what_was_registered(
    registry: Registry, toy_training: Path, toy_tokenizer: Path, tmp_path: Path
) -> None:
    number = register(registry, toy_training, toy_tokenizer, "three")
    registry.start_canary(number, who="test", why="to be tried")
    config = lay_out(registry, tmp_path / "models")
    assert read_config(config)["robo-poet"].labels == {"stable": 1, "canary": number}

    tamper(registry, number, "saved_model.pb")
    models = ServingFolder(registry, tmp_path / "models")  # a new process, which finds the links of the one before
    assert read_config(models.lay_out())["robo-poet"].labels == {"stable": 1}
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


def test_without_a_champion_there_is_nothing_to_serve(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no champion yet; train one"):
        lay_out(Registry(tmp_path / "none"), tmp_path / "models")


def test_a_folder_that_another_registry_left_is_laid_out_anew(
    registry: Registry, toy_training: Path, toy_tokenizer: Path, tmp_path: Path
) -> None:
    other = Registry(tmp_path / "other")
    register(other, toy_training, toy_tokenizer, "another one")
    other.promote(1, who="test", why="the first")
    for store, xla in ((registry, True), (other, True), (other, False)):
        link = lay_out(store, tmp_path / "models", xla=xla).parent / "robo-poet" / "1" / "saved_model.pb"
        assert link.resolve() == (store.version(1).folder / "model" / "saved_model" / "saved_model.pb").resolve()
        played = (link.parent / "assets.extra" / "tf_serving_warmup_requests").resolve().name
        assert played == "tf_serving_warmup_requests" + ("_xla" if xla else "")
