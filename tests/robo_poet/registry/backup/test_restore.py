"""Where a backup is restored, and what the readers of the folder remember."""

from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.backup.archive import write_archive
from robo_poet.registry.backup.backup import backup
from robo_poet.registry.backup.restore import restore
from robo_poet.registry.backup.secret import Secret
from robo_poet.registry.log.entry import Corrupt
from robo_poet.registry.registry import Registry
from tests.robo_poet.registry.backup.contents import files

SAID = {"who": "ada", "why": "test"}


def test_an_archive_is_never_overwritten_and_a_folder_is_only_filled_if_empty(registry: Registry, secret: Secret, tmp_path: Path) -> None:
    path = tmp_path / "a.backup"
    backup(registry.root, path, secret, registry.trust)
    before = path.read_bytes()
    with pytest.raises(BadInput, match="the file exists; give another name"):
        backup(registry.root, path, secret, registry.trust)
    assert path.read_bytes() == before
    with pytest.raises(BadInput, match="the folder is not empty"):
        restore(path, registry.root, secret, registry.trust)
    (tmp_path / "empty").mkdir()
    restore(path, tmp_path / "empty", secret, registry.trust)
    assert files(tmp_path / "empty") == files(registry.root)


def test_a_signed_archive_of_a_damaged_registry_is_refused(registry: Registry, secret: Secret, tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as file, write_archive(file, secret, registry.trust) as writer:
        for entry in registry.log():
            writer.add_bytes(f"poems/log/{entry.index:08d}.json", entry.to_bytes())
    with pytest.raises(Corrupt, match="the manifest is missing"):
        restore(tmp_path / "a", tmp_path / "restored", secret, registry.trust)
    assert not (tmp_path / "restored").exists()


def test_an_older_backup_at_the_same_place_says_what_was_read(registry: Registry, secret: Secret, tmp_path: Path) -> None:
    backup(registry.root, tmp_path / "a", secret, registry.trust)
    count = len(registry.log())
    registry.hold_canary(2, **SAID)
    registry.root.rename(tmp_path / "lost")
    assert restore(tmp_path / "a", registry.root, secret, registry.trust).older == {"poems": count + 1}
    with pytest.raises(Corrupt, match="accept-head"):
        Registry(registry.root, "poems").state()
    Registry(registry.root, "poems").signed_log.accept_head()
    assert Registry(registry.root, "poems").verify()


def test_restoring_remembers_no_hidden_folder(registry: Registry, secret: Secret, tmp_path: Path) -> None:
    backup(registry.root, tmp_path / "a", secret, registry.trust)
    before = registry.trust.heads.addresses()
    restore(tmp_path / "a", tmp_path / "restored", secret, registry.trust)
    assert registry.trust.heads.addresses() == before
