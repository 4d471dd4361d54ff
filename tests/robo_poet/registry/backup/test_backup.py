"""Backup and restore of a registry, together. Covers: archive, backup, restore."""

import errno
import hashlib
import io
import os
import resource
import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from robo_poet.digest import digest_path
from robo_poet.errors import BadInput
from robo_poet.registry.backup import archive as archive_module
from robo_poet.registry.backup.archive import FOOTER_BYTES, write_archive
from robo_poet.registry.backup.backup import Saved, backup
from robo_poet.registry.backup.restore import restore
from robo_poet.registry.backup.sealed import HEADER_BYTES, Opener, Sealer
from robo_poet.registry.backup.secret import Secret
from robo_poet.registry.log.entry import Conflict, Corrupt
from robo_poet.registry.registry import Registry
from robo_poet.registry.trust.trust import Trust

SAID = {"who": "ada", "why": "test"}


def files(root: Path) -> dict[str, str]:
    """Relative path → SHA-256 and permissions of every file."""
    return {path.relative_to(root).as_posix(): f"{digest_path(path)} {path.stat().st_mode:o}" for path in root.rglob("*") if path.is_file()}


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_backup_is_restored_byte_for_byte(registry: Registry, secret: Secret, tmp_path: Path) -> None:
    saved = backup(registry.root, tmp_path / "a.backup", secret, registry.trust)
    assert saved == Saved(2, 4, len(registry.log()) + 1, (tmp_path / "a.backup").stat().st_size)
    assert (tmp_path / "a.backup").stat().st_mode & 0o777 == 0o600
    restored = restore(tmp_path / "a.backup", tmp_path / "restored", secret, registry.trust)
    assert (restored.entries, restored.versions, restored.older) == ({"poems": len(registry.log()), "odes": 1}, 4, {})
    assert restored.footer.signer == registry.trust.signer().public.id
    assert files(tmp_path / "restored") == files(registry.root)
    again = Registry(tmp_path / "restored", "poems")
    assert again.verify() and again.decision(2) == registry.decision(2)
    again.promote(2, **SAID)


def plain(path: Path, secret: Secret) -> bytes:
    with path.open("rb") as file:
        opener = Opener(file, secret, "")
        return b"".join(iter(lambda: opener.read(1 << 20), b""))


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


@pytest.mark.parametrize("damage", [
    lambda data: data[:-1],
    lambda data: data[: HEADER_BYTES + 65_552],
    lambda data: data[:20],
    lambda data: data + b"x",
    lambda data: data[:80] + bytes([data[80] ^ 1]) + data[81:],
    lambda data: data[:-5] + bytes([data[-5] ^ 1]) + data[-4:],
    lambda data: data[:HEADER_BYTES] + data[HEADER_BYTES + 65_552 : HEADER_BYTES + 131_104] + data[HEADER_BYTES : HEADER_BYTES + 65_552] + data[HEADER_BYTES + 131_104 :],
])  # fmt: skip
def test_a_damaged_archive_leaves_nothing(registry: Registry, secret: Secret, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "a.backup"
    backup(registry.root, path, secret, registry.trust)
    path.write_bytes(damage(path.read_bytes()))
    before = visible(tmp_path)
    with pytest.raises(BadInput) as caught:
        restore(path, tmp_path / "restored", secret, registry.trust)
    assert "\n" not in str(caught.value) and "cut" in str(caught.value)
    assert visible(tmp_path) == before


def test_another_key_and_an_unknown_signer_leave_nothing(
    registry: Registry, secret: Secret, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.backup"
    backup(registry.root, path, secret, registry.trust)
    (tmp_path / "restored").mkdir()
    before = visible(tmp_path)
    with pytest.raises(BadInput, match=r"the secret in zeros does not open this backup"):
        restore(path, tmp_path / "restored", Secret(bytes(32), False, "zeros"), registry.trust)
    monkeypatch.setenv("ROBO_POET_TRUST", str(tmp_path / "another"))
    stranger = Trust()
    stranger.signer()
    with pytest.raises(BadInput, match="the backup is signed by an unknown key .*if this key is yours"):
        restore(path, tmp_path / "restored", secret, stranger)
    assert visible(tmp_path) == sorted([*before, "another"]) and visible(tmp_path / "restored") == []


def seal(path: Path, secret: Secret, content: bytes) -> None:
    with path.open("wb") as file:
        sealer = Sealer(file, secret)
        sealer.write(content)
        sealer.finish()


def test_who_has_the_secret_but_no_signing_key_cannot_make_another_backup(registry: Registry, secret: Secret, tmp_path: Path) -> None:
    backup(registry.root, tmp_path / "a", secret, registry.trust)
    content = plain(tmp_path / "a", secret)
    body, footer = content[:-FOOTER_BYTES], content[-FOOTER_BYTES:]
    position = body.index(b'"who"')
    forged = body[:position] + b"X" + body[position + 1 :]
    for number, (changed, message) in enumerate((
        (forged + footer, "differs from what was signed"),
        (body + footer.replace(b'"form": 1', b'"form": 2'), "differs from what was signed"),
        (body + b"{}".ljust(FOOTER_BYTES), "the backup has no signature"),
        (body + b'{"payload": {"made": "", "sha256": ""}, "signatures": []}'.ljust(FOOTER_BYTES), "the backup has no signature"),
        (b"", "no files of a registry"),
        (b"x" * 20_000 + footer, "no files of a registry"),
    )):  # fmt: skip
        seal(tmp_path / f"forged{number}", secret, changed)
        with pytest.raises(BadInput, match=message):
            restore(tmp_path / f"forged{number}", tmp_path / "restored", secret, registry.trust)
        assert not (tmp_path / "restored").exists()


@pytest.mark.parametrize(
    ("name", "kind"),
    [("../outside", tarfile.REGTYPE), ("/outside", tarfile.REGTYPE), ("poems/a", tarfile.SYMTYPE), ("poems/a", tarfile.LNKTYPE),
     ("poems", tarfile.DIRTYPE), ("poems/a", tarfile.FIFOTYPE), ("poems//a", tarfile.REGTYPE)],
)  # fmt: skip
def test_names_that_lead_out_and_other_things_than_files_are_refused(
    registry: Registry, secret: Secret, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: bytes
) -> None:
    def add(self: Any, name: str, source: Any, size: int) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/hostname"
        self._tar.addfile(info)

    monkeypatch.setattr(archive_module.ArchiveWriter, "_add", add)
    with (tmp_path / "a").open("wb") as file, write_archive(file, secret, registry.trust) as writer:
        writer.add_bytes(name, b"")
    with pytest.raises(BadInput, match="something else than a file"):
        restore(tmp_path / "a", tmp_path / "sub" / "restored", secret, registry.trust)
    assert visible(tmp_path / "sub") == [] and not (tmp_path / "outside").exists()


def test_a_signed_archive_of_a_damaged_registry_is_refused(registry: Registry, secret: Secret, tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as file, write_archive(file, secret, registry.trust) as writer:
        for entry in registry.log():
            writer.add_bytes(f"poems/log/{entry.index:08d}.json", entry.to_bytes())
    with pytest.raises(Corrupt, match="the manifest is missing"):
        restore(tmp_path / "a", tmp_path / "restored", secret, registry.trust)
    assert not (tmp_path / "restored").exists()


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


@pytest.mark.parametrize("act", ["backup", "restore"])
def test_a_full_disk_is_one_line_and_leaves_nothing(
    registry: Registry, secret: Secret, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    backup(registry.root, tmp_path / "a", secret, registry.trust)
    before = visible(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # a file of the fixture has 200,000 bytes
    try:
        with pytest.raises(BadInput, match=r"cannot be (written|restored) \(file too large\)"):
            if act == "backup":
                backup(registry.root, tmp_path / "b", secret, registry.trust)
            else:
                restore(tmp_path / "a", tmp_path / "restored", secret, registry.trust)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert visible(tmp_path) == before


def test_a_file_system_without_unnamed_files_gets_a_hidden_one(
    registry: Registry, secret: Secret, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def refuse(path: Any, flags: int, *arguments: Any, **named: Any) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "not supported")
        return real(path, flags, *arguments, **named)

    monkeypatch.setattr(os, "open", refuse)
    backup(registry.root, tmp_path / "a", secret, registry.trust)
    monkeypatch.undo()
    assert not [name for name in visible(tmp_path) if name.startswith(".")]
    assert restore(tmp_path / "a", tmp_path / "restored", secret, registry.trust).versions == 4


KILLED = """
import os, sys
from pathlib import Path
from robo_poet.registry.backup import archive
from robo_poet.registry.backup.backup import backup
from robo_poet.registry.backup.secret import read_secret
from robo_poet.registry.trust.trust import Trust
real, count = archive.ArchiveWriter._add, 0
def add(self, *arguments):
    global count
    count += 1
    if count > int(sys.argv[4]):
        os.kill(os.getpid(), 9)
    real(self, *arguments)
archive.ArchiveWriter._add = add
backup(Path(sys.argv[1]), Path(sys.argv[2]), read_secret(Path(sys.argv[3])), Trust())
"""


@pytest.mark.parametrize("count", [0, 5])
def test_a_killed_backup_leaves_no_file(registry: Registry, key_file: Path, tmp_path: Path, count: int) -> None:
    before = visible(tmp_path)
    words = [str(registry.root), str(tmp_path / "a"), str(key_file), str(count)]
    assert subprocess.run([sys.executable, "-c", KILLED, *words]).returncode == -signal.SIGKILL
    assert visible(tmp_path) == before


KILLED_IN_RESTORE = """
import os, sys
from pathlib import Path
from robo_poet.registry.backup import archive
from robo_poet.registry.backup.restore import restore
from robo_poet.registry.backup.secret import read_secret
from robo_poet.registry.trust.trust import Trust
real, count = archive._extract, 0
def extract(*arguments):
    global count
    count += 1
    if count > 5:
        os.kill(os.getpid(), 9)
    real(*arguments)
archive._extract = extract
restore(Path(sys.argv[1]), Path(sys.argv[2]), read_secret(Path(sys.argv[3])), Trust())
"""


def test_a_killed_restore_leaves_a_hidden_folder_only(registry: Registry, key_file: Path, secret: Secret, tmp_path: Path) -> None:
    backup(registry.root, tmp_path / "a", secret, registry.trust)
    before = visible(tmp_path)
    words = [str(tmp_path / "a"), str(tmp_path / "restored"), str(key_file)]
    assert subprocess.run([sys.executable, "-c", KILLED_IN_RESTORE, *words]).returncode == -signal.SIGKILL
    (left,) = set(visible(tmp_path)) - set(before)
    assert left.startswith(".restored.")
    restore(tmp_path / "a", tmp_path / "restored", secret, registry.trust)
    assert files(tmp_path / "restored") == files(registry.root)


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
