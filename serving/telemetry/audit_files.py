"""The files of the audit log: append-only JSON lines by UTC day, with a limit on the bytes of the folder.

    audit-2026-03-01.jsonl      interactions; further segments of the day are audit-2026-03-01.0002.jsonl …
    refusals-2026-03-01.jsonl   counts of refused requests, likewise

If the folder is full, the files of refusals are removed first, the oldest before the others. Only then are interactions removed: an
attacker without a key must not be able to push them out.
"""

import contextlib
import os
import re
import stat
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from robo_poet.permissions import make_private_folder

Kind = Literal["audit", "refusals"]
SEGMENTS = 32  # segments that fit into the folder: the smallest part of the log that is removed at a time
_NAME = re.compile(r"(audit|refusals)-(\d{4}-\d\d-\d\d)(?:\.(\d{4,9}))?\.jsonl")
_DAY = "%Y-%m-%d"


class _Segment(NamedTuple):
    """A file of the folder. Segments of a day are numbered from 1."""

    kind: str
    day: str
    number: int
    path: Path
    size: int


@dataclass
class _Open:
    """An open segment. `is_cut`: its last line is incomplete, because the disk was full or a process was killed."""

    handle: int
    day: str
    is_cut: bool


class AuditFiles:
    """The files of one folder. Thread-safe. Replicas may share the folder.

    Args:
        folder: created with mode 0700 if it is missing; its files have mode 0600.
        max_bytes: limit on all files together.
        keep_days: days after which a file is removed in any case.

    Attributes:
        removed: bytes removed because the folder was full, by kind: `interactions` and `refusals`.
    """

    def __init__(self, folder: Path, max_bytes: int, keep_days: int) -> None:
        self._folder, self._max_bytes, self._keep_days = folder, max_bytes, keep_days
        self._segment_bytes = max_bytes // SEGMENTS
        self._opened: dict[Kind, _Open] = {}
        self._lock = threading.Lock()
        self._removed = {"audit": 0, "refusals": 0}

    @property
    def removed(self) -> Mapping[str, int]:
        """Bytes removed because the folder was full, by kind."""
        return {"interactions": self._removed["audit"], "refusals": self._removed["refusals"]}

    def append(self, kind: Kind, line: bytes, moment: datetime) -> None:
        """Append a line with a single write, so that lines of replicas do not mix.

        The line is in the kernel when this returns, so it survives the death of the process. It takes about 10 µs.

        Raises:
            OSError: the disk is full, or the folder is not available.
        """
        with self._lock:
            opened = self._current(kind, moment.strftime(_DAY))
            data = b"\n" + line if opened.is_cut else line
            written = os.write(opened.handle, data)
            opened.is_cut = written < len(data)
            if opened.is_cut:
                raise OSError(f"only {written} of {len(data)} bytes written")

    def trim(self) -> None:
        """Remove files that are too old, and the least important ones if the folder is nearly full."""
        with self._lock, contextlib.suppress(OSError):  # no folder: nothing to remove
            self._trim()

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            for kind in list(self._opened):
                self._close(kind)

    def _current(self, kind: Kind, day: str) -> _Open:
        opened = self._opened.get(kind)
        if opened is not None:
            status = os.fstat(opened.handle)
            if opened.day == day and status.st_size < self._segment_bytes and status.st_nlink:
                return opened
            self._close(kind)
        make_private_folder(self._folder)
        self._trim()
        numbers = [segment.number for segment in self._segments() if (segment.kind, segment.day) == (kind, day)]
        number = max(numbers, default=1)
        while True:
            name = f"{kind}-{day}.jsonl" if number == 1 else f"{kind}-{day}.{number:04d}.jsonl"
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            handle = os.open(self._folder / name, flags, 0o600)
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):  # O_NONBLOCK: opening or filling a FIFO must not stop the gateway
                os.close(handle)
                raise OSError(f"{name} is not a regular file")
            if status.st_size < self._segment_bytes:
                break
            os.close(handle)
            number += 1
        is_cut = status.st_size > 0 and os.pread(handle, 1, status.st_size - 1) != b"\n"
        self._opened[kind] = _Open(handle, day, is_cut)
        return self._opened[kind]

    def _close(self, kind: Kind) -> None:
        os.close(self._opened.pop(kind).handle)

    def _segments(self) -> list[_Segment]:
        segments = []
        for entry in os.scandir(self._folder):
            if match := _NAME.fullmatch(entry.name):
                with contextlib.suppress(FileNotFoundError):  # another replica has removed it
                    size = entry.stat(follow_symlinks=False).st_size
                    segments.append(_Segment(match[1], match[2], int(match[3] or 1), Path(entry.path), size))
        return segments

    def _trim(self) -> None:
        segments, oldest = self._segments(), (datetime.now(UTC) - timedelta(days=self._keep_days)).strftime(_DAY)
        total = sum(segment.size for segment in segments)
        # Each kind can grow by one segment until the next call.
        limit = self._max_bytes - 2 * self._segment_bytes
        for segment in sorted(segments, key=lambda segment: (segment.kind == "audit", segment.day, segment.number)):
            is_old = segment.day < oldest
            if is_old or total > limit:
                segment.path.unlink(missing_ok=True)
                total -= segment.size
                self._removed[segment.kind] += 0 if is_old else segment.size
