import shutil

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.log.entry import Corrupt, NoSuchVersion
from robo_poet.registry.registry import Registry
from tests.robo_poet.registry.conftest import Register


def test_a_missing_registry_is_empty(registry: Registry) -> None:
    assert (registry.versions(), registry.log(), registry.verify()) == ([], [], [])
    assert (registry.champion(), registry.canary()) == (None, None)
    assert not registry.root.exists()
    with pytest.raises(NoSuchVersion, match="no version 1; the registry is empty"):
        registry.verify(1)


def test_a_log_of_another_model_is_corrupt(registry: Registry, add: Register) -> None:
    add(registry)
    shutil.copytree(registry.folder, registry.root / "letters")
    with pytest.raises(Corrupt, match="entry 1: the entry belongs to the model poems"):
        Registry(registry.root, "letters").versions()


def test_the_champion_of_a_run_is_found_by_its_digest(registry: Registry, add: Register) -> None:
    assert registry.pinned_champion("none") is registry.pinned_champion("") is None
    one, two = add(registry, 1), add(registry, 2)
    assert registry.pinned_champion("") is None
    registry.promote(1, who="ada", why="first")
    assert registry.pinned_champion("none") is None
    assert registry.pinned_champion("") == registry.pinned_champion(one.digest) == registry.version(1)
    assert registry.pinned_champion(two.digest) == registry.version(2), "the champion at submission, not now"
    with pytest.raises(BadInput, match="no version has the digest 000000000000; submit the run again"):
        registry.pinned_champion("0" * 64)


def test_tampering_is_found_by_verify(registry: Registry, add: Register) -> None:
    versions = [add(registry, 1), add(registry, 2)]
    weights = versions[1].folder / "model" / "weights"
    weights.chmod(0o644)
    weights.write_text("3")
    registry.verify(1)
    for number in (None, 2):
        with pytest.raises(Corrupt, match="model/weights was changed"):
            registry.verify(number)
    weights.write_text("2")
    entry = registry.folder / "log" / "00000002.json"
    entry.chmod(0o644)
    entry.write_text(entry.read_text().replace("passed", "p4ssed"))
    for look in (registry.verify, registry.versions, registry.champion, lambda: add(registry, 3)):
        with pytest.raises(Corrupt, match=r"log/00000002\.json: the log entry was changed after it was written"):
            look()


def test_a_version_folder_that_was_swapped_is_found(registry: Registry, add: Register) -> None:
    one, two = add(registry, 1), add(registry, 2)
    one.folder.rename(one.folder.with_name("aside"))
    two.folder.rename(one.folder)
    with pytest.raises(Corrupt, match="the manifest was changed after the registration"):
        registry.verify(1)
