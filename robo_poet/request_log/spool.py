"""Write-ahead spools and their atomic conversion into Parquet parts.

A spool has JSON lines, written immediately, so that a crash loses only records that were not yet written.
Each line is `{"n": 7, "row": {…}}`, or a later `{"n": 7, "patch": {…}}` that sets fields of row 7.
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

import pyarrow.parquet as pq

from robo_poet.atomic import new_file
from robo_poet.permissions import make_private_folder
from robo_poet.request_log.layout import KINDS, Kind, Unit, days, table_of_fitting_rows, units


class Spool:
    """An open spool file, locked until it is closed. If a spool is not locked, its writer is dead.

    Attributes:
        unit: the unit of the spool.
        records: number of rows.
        waiting: number of rows whose texts are still being scrubbed.
        opened: monotonic time of creation, in seconds.
        closed: True after `close`.

    Raises:
        OSError: the file cannot be created.
    """

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.records = self.waiting = self._size = 0
        self.opened = time.monotonic()
        self._dirty = self.closed = False
        make_private_folder(unit.folder)
        self._handle, temporary = tempfile.mkstemp(prefix="._spool.", dir=unit.folder)  # mode 0600
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX)
            os.rename(temporary, unit.spool)  # noqa: PTH104 -- locked before its name is visible to others
        except OSError:
            os.close(self._handle)
            Path(temporary).unlink(missing_ok=True)
            raise

    def append(self, line: Mapping[str, Any]) -> None:
        """Append a line. After an error, a partial line is removed.

        Raises:
            OSError: the disk is full or unavailable.
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
        """Flush the file to disk, so that it survives a power failure."""
        if self._dirty:
            self._dirty = False
            os.fdatasync(self._handle)

    def close(self) -> None:
        """Close the file and release the lock. The file stays."""
        self.closed = True
        os.close(self._handle)


@contextmanager
def lock_if_dead(path: Path) -> Iterator[bool]:
    """Yield True if the writer of a spool is dead. The spool is locked while the block runs, so that no other process claims it."""
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        yield False
        return
    try:
        yield _lock(handle) and os.fstat(handle).st_nlink > 0  # 0 links: another process has converted it between open and lock
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def read_spool(path: Path) -> list[dict[str, Any]]:
    """Read the rows of a spool, with patches applied. An incomplete last line (after a crash) and invalid lines are skipped.

    Raises:
        FileNotFoundError: the spool does not exist, for example because it has become a part.
    """
    rows: dict[int, dict[str, Any]] = {}
    complete_lines, _, _incomplete = path.read_bytes().rpartition(b"\n")
    for line in complete_lines.split(b"\n"):
        try:
            entry = json.loads(line)
            if "row" in entry:
                rows[entry["n"]] = entry["row"]
            elif entry["n"] in rows:
                rows[entry["n"]].update(entry["patch"])
        except (ValueError, KeyError, TypeError):  # a power failure can leave zero bytes
            continue
    return list(rows.values())


def make_part(unit: Unit, kind: Kind) -> None:
    """Convert a unit's spool into its part. The caller must hold the lock of the spool.

    If the process is killed in between, the next call completes the conversion. No row is ever read twice.

    Raises:
        OSError: the disk is full or unavailable. The spool stays and remains readable.
    """
    if not unit.part.exists() and (rows := read_spool(unit.spool)):
        with new_file(unit.part, durable=True, mode=0o600) as temporary:
            pq.write_table(table_of_fitting_rows(rows, kind.schema), temporary, compression="zstd")
    unit.spool.unlink(missing_ok=True)


def recover(folder: Path) -> int:
    """Convert the spools of dead writers into parts; return how many. Spools of running writers are not touched."""
    count = 0
    for kind in KINDS.values():
        for _, day in days(folder, kind):
            for unit in units(day):
                with lock_if_dead(unit.spool) as is_dead:
                    if is_dead:
                        make_part(unit, kind)
                        count += 1
    return count
