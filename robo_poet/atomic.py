"""Atomic and durable writes of files and folders: written to a temporary name, optionally synced, then renamed.

A synced file or name survives a power loss.
"""

import ctypes
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

LEFTOVER_SECONDS = 86_400.0  # nothing is written for so long in a temporary folder that a killed process left


def sync_folder(path: Path) -> None:
    """Flush the names in a folder to disk, so that a rename survives a power loss."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def new_file(path: Path, *, durable: bool = False, mode: int = 0o644) -> Iterator[Path]:
    """Yield a temporary path to write to. On success it is renamed to `path`; on an exception it is removed.

    Args:
        durable: fsync the file and its folder (registry, checkpoints); costs some milliseconds.
        mode: permissions of the file; until then it is private.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(mode)
        if durable:
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
        temporary.replace(path)
        if durable:
            sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str, *, durable: bool = False, mode: int = 0o644) -> None:
    """Write `text` to `path` as UTF-8, atomically."""
    with new_file(path, durable=durable, mode=mode) as temporary:
        temporary.write_text(text, encoding="utf-8")


def create_once(path: Path, data: bytes, *, mode: int, temporary_folder: Path | None = None) -> bool:
    """Create a file durably, unless it exists. Return False if it exists already. Of two processes, one succeeds, and nobody reads a part.

    Args:
        mode: permissions of the file.
        temporary_folder: folder for the temporary file, on the same file system; by default that of `path`. A kill can leave a file there.

    Raises:
        OSError: the file cannot be written, or the file system has no hard links.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=temporary_folder or path.parent)  # 0600
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)
    return True


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder to fill. On success it replaces `path`; on an exception it is removed and `path` is unchanged.

    A process that is killed leaves the old or the new folder at `path`, and perhaps a hidden temporary folder next to it.

    Raises:
        NotADirectoryError: `path` is a file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        if not path.is_dir():
            temporary.replace(path)
        elif not _exchange(temporary, path):
            _replace_in_two_renames(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # linux/fcntl.h, linux/fs.h


def _exchange(first: Path, second: Path) -> bool:
    """Exchange the names of two folders in one atomic step. Return False if the file system or the C library cannot."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    return rename is not None and rename(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE) == 0


def _replace_in_two_renames(new: Path, path: Path) -> None:
    """Replace a folder without an exchange. Between the renames `path` is missing, and the old folder has a hidden name."""
    old = new.with_name(f"{new.name}.old")
    path.rename(old)
    try:
        new.rename(path)
    except OSError:
        old.rename(path)
        raise
    shutil.rmtree(old)


def remove_leftovers(parent: Path, pattern: str) -> None:
    """Remove the temporary folders that killed processes left in `parent`: those in which nothing was written for a day.

    Each gets another name first. So a process that was only stopped gets an error when it goes on, and never publishes a part. What cannot
    be removed stays, such as a folder of another user.

    Args:
        pattern: glob pattern of their names.
    """
    for folder in parent.glob(pattern):
        with suppress(OSError):
            if folder.is_dir() and time.time() - _last_write(folder) > LEFTOVER_SECONDS:
                shutil.rmtree(folder.rename(folder.with_name(f"{folder.name}.old")))


def _last_write(folder: Path) -> float:
    """Return the time of the last write in a folder, in seconds since 1970. Raise OSError if it cannot be read."""

    def fail(error: OSError) -> NoReturn:
        raise error

    inside = (Path(root, name) for root, folders, names in os.walk(folder, onerror=fail) for name in (*folders, *names))
    return max(path.lstat().st_mtime for path in (folder, *inside))


def make_folder(path: Path) -> None:
    """Create `path` and its missing parents, and sync each new name into its parent folder."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Flush a file's bytes to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(path: Path) -> None:
    """Flush everything under `path` to disk: contents first, then folders."""
    for folder, _, names in os.walk(path, topdown=False):
        for name in names:
            sync_file(Path(folder, name))
        sync_folder(Path(folder))
