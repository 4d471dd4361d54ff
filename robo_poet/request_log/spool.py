"""The write-ahead spool: JSON lines, appended and flushed as they come, so that a crash loses what was not yet written and no more.

Each line is `{"n": 7, "row": {…}}`, or a later `{"n": 7, "patch": {…}}` that fills fields of that row in.
"""

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from robo_poet.request_log.layout import Unit


class Spool:
    """A spool of this process, locked while it lives: another writer that finds it unlocked knows that its writer is dead.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.records = self.waiting = self._size = 0
        self.opened = time.monotonic()
        self._dirty = self.closed = False
        unit.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._handle, beside = tempfile.mkstemp(prefix="._spool.", dir=unit.folder)  # 0600
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX)
            os.rename(beside, unit.spool)  # noqa: PTH104 -- locked before anyone can see it
        except OSError:
            os.close(self._handle)
            Path(beside).unlink(missing_ok=True)
            raise

    def append(self, line: Mapping[str, Any]) -> None:
        """Write a line, whole or not at all.

        Raises:
            OSError: the disk is full or gone.
        """
        data = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        try:
            written = os.write(self._handle, data)
            if written < len(data):
                raise OSError(f"only {written} of {len(data)} bytes written")
        except OSError:
            os.ftruncate(self._handle, self._size)
            os.lseek(self._handle, self._size, os.SEEK_SET)
            raise
        self._size += len(data)
        self._dirty = True

    def sync(self) -> None:
        """Make it outlast a power cut."""
        if self._dirty:
            self._dirty = False
            os.fdatasync(self._handle)

    def close(self) -> None:
        """Let go of it; the file stays."""
        self.closed = True
        os.close(self._handle)


@contextmanager
def dead(path: Path) -> Iterator[bool]:
    """Whether a spool's writer is gone; while the block runs, nobody else finds it so."""
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        yield False
        return
    try:
        yield _lock(handle) and os.fstat(handle).st_nlink > 0  # another may have turned it into a part between our two calls
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def read_spool(path: Path) -> list[dict[str, Any]]:
    """Rows of a spool, of a living or a dead writer. A last line without its end was cut off by a crash and is left out.

    Raises:
        FileNotFoundError: it has become a part meanwhile.
    """
    rows: dict[int, dict[str, Any]] = {}
    whole, _, _torn = path.read_bytes().rpartition(b"\n")
    for line in whole.split(b"\n"):
        try:
            read = json.loads(line)
            if "row" in read:
                rows[read["n"]] = read["row"]
            elif read["n"] in rows:
                rows[read["n"]].update(read["patch"])
        except (ValueError, KeyError, TypeError):  # zeros, after a power cut
            continue
    return list(rows.values())
