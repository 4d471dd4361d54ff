"""The writer: appends records to spools and converts full spools into parts. Several processes may share the folder."""

import secrets
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from robo_poet.permissions import make_private_folder
from robo_poet.request_log.deletion import remove_old
from robo_poet.request_log.layout import KINDS, Unit, day_folder, fits
from robo_poet.request_log.spool import Spool, make_part, recover
from robo_poet.settings.serve import RequestLogSettings

SYNC_SECONDS = 0.5  # seconds; with a tick every 0.25 s, a power failure loses less than 1 s
PATCH_SECONDS = 2.0  # seconds that a full spool stays open for late patches (scores of prompts)
PATCHABLE_REQUESTS = 4096  # number of latest completions that `patch` can still change


class RowPosition(NamedTuple):
    """Position of a row: its spool, and its number in the spool."""

    spool: Spool
    n: int


class Writer:
    """A writer of records that contain no personal data. Thread-safe.

    Args:
        folder: folder of the log; created with the first record.
        settings: section `serve.request_log` of the profile.
        now: returns the time in seconds since 1970.

    Attributes:
        counts: number of records by outcome: written, failed, invalid, feedback.
    """

    def __init__(self, folder: Path, settings: RequestLogSettings, now: Callable[[], float] = time.time) -> None:
        self._folder, self._settings, self._now = folder, settings, now
        self._name = secrets.token_hex(6)
        self._units = self._rows = 0
        self._open: dict[Path, tuple[str, Spool]] = {}  # folder of the day → kind, spool
        self._full: list[tuple[str, Spool, float]] = []  # kind, spool, monotonic time since when it is full
        self._positions: OrderedDict[str, RowPosition] = OrderedDict()  # completion id → its row
        self._synced = time.monotonic()
        self._today = date.min
        self._lock = threading.RLock()
        self.counts: Counter[str] = Counter(written=0, failed=0, invalid=0, feedback=0)

    def add(self, kind: str, row: Mapping[str, Any], *, texts_follow: bool = False) -> RowPosition | None:
        """Write a row, which readers see from then on; return its position.

        Returns None and counts the row if the disk is full or a value does not fit its column.

        Args:
            kind: request or feedback.
            row: values by column.
            texts_follow: True if the texts of the row follow. The spool then stays open until `set_texts` or `omit_texts` is called.
        """
        if kind not in KINDS or not fits(row, KINDS[kind].schema):
            self.counts["invalid"] += 1
            return None
        with self._lock:
            try:
                spool = self._spool(kind, row["time"])
                self._rows += 1
                spool.append({"n": self._rows, "row": row})
            except OSError:
                self.counts["failed"] += 1
                return None
            spool.records += 1
            spool.waiting += texts_follow
            position = RowPosition(spool, self._rows)
            if kind == "request":
                self.counts["written"] += 1
                self._positions[row["completion_id"]] = position
                if len(self._positions) > PATCHABLE_REQUESTS:
                    self._positions.popitem(last=False)
            else:
                self.counts["feedback"] += 1
            return position

    def patch(self, completion_id: str, fields: Mapping[str, Any]) -> bool:
        """Set fields of a recently added request; return False if it is too late."""
        with self._lock:
            position = self._positions.get(completion_id)
            return position is not None and self._patch(position, fields)

    def set_texts(self, position: RowPosition, fields: Mapping[str, Any]) -> bool:
        """Set the texts of a row that waits for them. Return False if the row no longer waits."""
        with self._lock:
            position.spool.waiting -= 1
            return self._patch(position, fields)

    def omit_texts(self, position: RowPosition) -> None:
        """Declare that the texts of a waiting row will not follow."""
        with self._lock:
            position.spool.waiting -= 1

    def tick(self) -> None:
        """Sync spools, convert full spools into parts and remove old days. Must be called several times a second."""
        clock, today = time.monotonic(), datetime.fromtimestamp(self._now(), UTC).date()
        with self._lock:
            if clock - self._synced >= SYNC_SECONDS:
                self._sync(clock)
            for folder, (kind, spool) in list(self._open.items()):
                if clock - spool.opened >= self._settings.part_seconds or spool.records >= self._settings.part_records:
                    del self._open[folder]
                    self._full.append((kind, spool, clock))
            self._make_parts([entry for entry in self._full if entry[1].waiting <= 0 and clock - entry[2] >= PATCH_SECONDS])
            if today != self._today:
                self._today = today
                remove_old(self._folder, today, self._settings.keep_days)

    def recover(self) -> int:
        """Convert the spools of dead writers into parts; return how many."""
        try:
            return recover(self._folder)
        except OSError:  # full disk; the spools remain readable
            return 0

    def close(self) -> None:
        """Convert all spools into parts and close them."""
        with self._lock:
            self._full += [(kind, spool, 0.0) for kind, spool in self._open.values()]
            self._open.clear()
            self._sync(time.monotonic())
            self._make_parts(list(self._full))
            for _, spool, _ in self._full:
                spool.close()
            self._full.clear()

    def _spool(self, kind: str, timestamp: float) -> Spool:
        folder = day_folder(self._folder, KINDS[kind], timestamp)
        if folder not in self._open:
            self._units += 1
            make_private_folder(self._folder)
            self._open[folder] = kind, Spool(Unit(folder, f"{self._name}-{self._units}"))
        return self._open[folder][1]

    def _patch(self, position: RowPosition, fields: Mapping[str, Any]) -> bool:
        if position.spool.closed:
            return False
        with suppress(OSError):
            position.spool.append({"n": position.n, "patch": fields})
            return True
        self.counts["failed"] += 1
        return False

    def _sync(self, clock: float) -> None:
        self._synced = clock
        for spool in [spool for _, spool in self._open.values()] + [spool for _, spool, _ in self._full]:
            with suppress(OSError):
                spool.sync()

    def _make_parts(self, full: list[tuple[str, Spool, float]]) -> None:
        for entry in full:
            kind, spool, _ = entry
            self._full.remove(entry)
            try:
                make_part(spool.unit, KINDS[kind])
            except OSError:  # retried later; the spool remains readable until then
                self._full.append((kind, spool, time.monotonic()))
            else:
                spool.close()
