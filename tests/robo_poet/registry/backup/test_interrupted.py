"""A full disk or a kill leaves no half-written backup or registry."""

import errno
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.backup.backup import backup
from robo_poet.registry.backup.restore import restore
from robo_poet.registry.backup.secret import Secret
from robo_poet.registry.registry import Registry
from tests.robo_poet.registry.backup.contents import files, visible


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
    assert left.startswith(".restored.restore-")
    restore(tmp_path / "a", tmp_path / "restored", secret, registry.trust)
    assert files(tmp_path / "restored") == files(registry.root) and (tmp_path / left).is_dir()
    for path in ((tmp_path / left), *(tmp_path / left).rglob("*")):
        os.utime(path, (0, 0))
    (tmp_path / "restored").rename(tmp_path / "first")
    restore(tmp_path / "a", tmp_path / "restored", secret, registry.trust)
    assert not (tmp_path / left).exists(), "nothing was written there for a day"
