"""A backup holds all of the registry, encrypted, and only what was registered before it began."""

import hashlib
import io
import subprocess
import sys
import tarfile
import threading
from pathlib import Path
from typing import Any

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.backup import archive as archive_module
from robo_poet.registry.backup.archive import FOOTER_BYTES
from robo_poet.registry.backup.backup import Saved, backup
from robo_poet.registry.backup.restore import restore
from robo_poet.registry.backup.secret import Secret
from robo_poet.registry.log.entry import Conflict, Corrupt
from robo_poet.registry.registry import Registry
from tests.robo_poet.registry.backup.contents import files, plain, visible

SAID = {"who": "ada", "why": "test"}


def test_a_backup_is_restored_byte_for_byte(registry: Registry, secret: Secret, tmp_path: Path) -> None:
    saved = backup(registry.root, tmp_path / "a.backup", secret, registry.trust)
    assert saved == Saved(2, 4, len(registry.log()) + 1, (tmp_path / "a.backup").stat().st_size)
    assert (tmp_path / "a.backup").stat().st_mode & 0o777 == 0o600
    restored = restore(tmp_path / "a.backup", tmp_path / "restored", secret, registry.trust)
    assert (restored.entries, restored.versions, restored.older) == ({"poems": len(registry.log()), "odes": 1}, 4, {})
    assert restored.footer.signer == registry.trust.signer().public.id
    assert files(tmp_path / "restored") == files(registry.root)
    assert len(list((tmp_path / "restored" / "poems" / "prompts").iterdir())) == 1
    again = Registry(tmp_path / "restored", "poems")
    assert again.verify() and again.decision(2) == registry.decision(2)
    again.promote(2, **SAID)


def test_the_same_state_gives_the_same_tar_file_and_nothing_is_readable(registry: Registry, secret: Secret, tmp_path: Path) -> None:
    for name in ("a", "b"):
        backup(registry.root, tmp_path / name, secret, registry.trust)
    first, second = (plain(tmp_path / name, secret)[:-FOOTER_BYTES] for name in ("a", "b"))
    assert first == second
    with tarfile.open(fileobj=io.BytesIO(first)) as tar:
        names = tar.getnames()
    assert names.index("poems/log/00000001.json") > max(names.index(name) for name in names if name.startswith("poems/versions"))
    data = (tmp_path / "a").read_bytes()
    assert b"poems" not in data and b"manifest" not in data and b"perplexity" not in data


def test_a_damaged_registry_gives_no_backup(registry: Registry, secret: Secret, tmp_path: Path) -> None:
    weights = registry.version(1).folder / "weights"
    weights.chmod(0o644)
    for content in (b"2", b"11", b""):
        weights.write_bytes(content)
        with pytest.raises(Corrupt, match="the file was changed after the registration"):
            backup(registry.root, tmp_path / "a.backup", secret, registry.trust)
    weights.unlink()
    with pytest.raises(Corrupt, match="the file is missing"):
        backup(registry.root, tmp_path / "a.backup", secret, registry.trust)
    assert not [name for name in visible(tmp_path) if "a.backup" in name]


def test_what_others_append_meanwhile_is_not_in_the_backup(
    registry: Registry, secret: Secret, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = len(registry.log())
    stop = threading.Event()

    def append() -> None:
        number = 0
        writer = Registry(registry.root, "poems")
        while not stop.is_set() and number < 200:
            number += 1
            (tmp_path / "more").write_text(str(number))
            writer.register({"more": tmp_path / "more"}, metrics={}, lineage={}, decision={}, stage="rejected", **SAID)

    thread = threading.Thread(target=append)
    real = archive_module.ArchiveWriter.add_file

    def add_file(self: Any, *arguments: Any) -> None:
        if not thread.ident:
            thread.start()
        real(self, *arguments)

    monkeypatch.setattr(archive_module.ArchiveWriter, "add_file", add_file)
    saved = backup(registry.root, tmp_path / "a", secret, registry.trust)
    stop.set()
    thread.join()
    restored = restore(tmp_path / "a", tmp_path / "restored", secret, registry.trust)
    assert restored.entries["odes"] == 1 and saved.entries == sum(restored.entries.values())
    assert len(registry.log()) > restored.entries["poems"] >= count - 1
    assert files(tmp_path / "restored").items() <= files(registry.root).items()


def test_a_version_that_is_purged_meanwhile_is_a_conflict(
    registry: Registry, secret: Secret, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.archive(4, **SAID)
    real = archive_module.ArchiveWriter.add_file

    def add_file(self: Any, *arguments: Any) -> None:
        if arguments[0].startswith("poems/"):
            Registry(registry.root, "poems").purge(4, **SAID)
        real(self, *arguments)

    monkeypatch.setattr(archive_module.ArchiveWriter, "add_file", add_file)
    with pytest.raises(Conflict, match="version poems/4 was purged meanwhile.*run again"):
        backup(registry.root, tmp_path / "a", secret, registry.trust)
    monkeypatch.undo()
    assert backup(registry.root, tmp_path / "a", secret, registry.trust).versions == 3


MEASURED = """
import sys
from pathlib import Path
from robo_poet.registry.backup.backup import backup
from robo_poet.registry.backup.restore import restore
from robo_poet.registry.backup.secret import read_secret
from robo_poet.registry.trust.trust import Trust
root, folder, key = map(Path, sys.argv[1:4])
backup(root, folder / "a", read_secret(key), Trust())
restore(folder / "a", folder / "restored", read_secret(key), Trust())
print(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
"""


def test_memory_does_not_grow_with_the_files(key_file: Path, tmp_path: Path) -> None:
    peaks = []
    for megabytes in (1, 60):
        folder = tmp_path / str(megabytes)
        folder.mkdir()
        with (folder / "weights").open("wb") as file:
            for number in range(megabytes):
                file.write(hashlib.shake_128(str(number).encode()).digest(1_000_000))
        registry = Registry(folder / "registry", "poems")
        registry.register({"weights": folder / "weights"}, metrics={}, lineage={}, decision={}, stage="candidate", **SAID)
        words = [str(registry.root), str(folder), str(key_file)]
        printed = subprocess.run([sys.executable, "-c", MEASURED, *words], capture_output=True, text=True, check=True).stdout
        peaks.append(int(printed) * 1024)
    assert peaks[1] - peaks[0] < 10e6


def test_no_registry_and_no_place_are_one_line(secret: Secret, tmp_path: Path, registry: Registry) -> None:
    with pytest.raises(BadInput, match="there is no registry"):
        backup(tmp_path / "nothing", tmp_path / "a", secret, registry.trust)
    with pytest.raises(BadInput, match="no such file or directory"):
        backup(registry.root, tmp_path / "missing" / "a", secret, registry.trust)
    with pytest.raises(BadInput, match="no such file or directory"):
        restore(tmp_path / "a", tmp_path / "restored", secret, registry.trust)
    assert not (tmp_path / "restored").exists()


def test_versions_with_the_same_content_share_a_folder(registry: Registry, secret: Secret, tmp_path: Path) -> None:
    (tmp_path / "same").write_text("same")
    for number in (1, 2):
        registry.register({"same": tmp_path / "same"}, metrics={}, lineage={}, decision={}, stage="rejected", identity=f"{number}", **SAID)
    assert registry.version(5).folder == registry.version(6).folder
    backup(registry.root, tmp_path / "a", secret, registry.trust)
    assert restore(tmp_path / "a", tmp_path / "restored", secret, registry.trust).versions == 6
    assert files(tmp_path / "restored") == files(registry.root)
