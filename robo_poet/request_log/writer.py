"""Records into spools, spools into parts. Used by one process; any number of processes may share the folder."""

import secrets
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from robo_poet.request_log.layout import KINDS, Unit, day_folder
from robo_poet.request_log.part import make_part, recover
from robo_poet.request_log.retention import remove_old
from robo_poet.request_log.schema import fits
from robo_poet.request_log.spool import Spool
from robo_poet.settings.request_log import RequestLogSettings

SYNC = 0.5  # seconds: with a tick every 0.25 s, a power cut costs less than one
SETTLE = 2.0  # seconds that a full spool stays open for what comes late, a prompt's score
LATEST = 4096  # completions whose fields can still be filled in


class Place(NamedTuple):
    """Where a row lies."""

    spool: Spool
    n: int


class Writer:
    """Writes records, already free of personal data.

    Args:
        now: seconds since 1970.
    """

    def __init__(self, folder: Path, settings: RequestLogSettings, now: Callable[[], float] = time.time) -> None:
        self._folder, self._settings, self._now = folder, settings, now
        self._name = secrets.token_hex(6)
        self._units = self._rows = 0
        self._open: dict[Path, tuple[str, Spool]] = {}  # day's folder → kind, spool
        self._full: list[tuple[str, Spool, float]] = []  # kind, spool, full since
        self._places: OrderedDict[str, Place] = OrderedDict()  # completion → its row
        self._synced = time.monotonic()
        self._today = date.min
        self._lock = threading.RLock()
        self.counts: Counter[str] = Counter(written=0, failed=0, invalid=0, feedback=0)

    def add(self, kind: str, row: Mapping[str, Any], *, waits: bool = False) -> Place | None:
        """Write a row; it is read from then on. None where it could not be: a full disk, or a value that fits no column; both are counted.

        Args:
            kind: request or feedback.
            waits: its texts follow; the spool stays open until they do (`fill` or `give_up`).
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
            spool.waiting += waits
            place = Place(spool, self._rows)
            if kind == "request":
                self.counts["written"] += 1
                self._places[row["completion_id"]] = place
                if len(self._places) > LATEST:
                    self._places.popitem(last=False)
            else:
                self.counts["feedback"] += 1
            return place

    def patch(self, completion_id: str, fields: Mapping[str, Any]) -> bool:
        """Fill fields of a request in that was added a moment ago; False where it is too late."""
        with self._lock:
            place = self._places.get(completion_id)
            return place is not None and self._patch(place, fields)

    def fill(self, place: Place, fields: Mapping[str, Any]) -> bool:
        """The texts of a row that waited for them."""
        with self._lock:
            place.spool.waiting -= 1
            return self._patch(place, fields)

    def give_up(self, place: Place) -> None:
        """The texts of a row that waited for them will not come."""
        with self._lock:
            place.spool.waiting -= 1

    def tick(self) -> None:
        """What time brings: sync, full spools into parts, old days away. To be called several times a second."""
        clock, today = time.monotonic(), datetime.fromtimestamp(self._now(), UTC).date()
        with self._lock:
            if clock - self._synced >= SYNC:
                self._sync(clock)
            for folder, (kind, spool) in list(self._open.items()):
                if clock - spool.opened >= self._settings.part_seconds or spool.records >= self._settings.part_records:
                    del self._open[folder]
                    self._full.append((kind, spool, clock))
            self._make_parts([one for one in self._full if one[1].waiting <= 0 and clock - one[2] >= SETTLE])
            if today != self._today:
                self._today = today
                remove_old(self._folder, today, self._settings.keep_days)

    def recover(self) -> int:
        """Make parts of what dead writers left; returns how many."""
        try:
            return recover(self._folder)
        except OSError:  # a full disk: their spools can be read as they are
            return 0

    def close(self) -> None:
        """Everything into parts."""
        with self._lock:
            self._full += [(kind, spool, 0.0) for kind, spool in self._open.values()]
            self._open.clear()
            self._sync(time.monotonic())
            self._make_parts(list(self._full))
            for _, spool, _ in self._full:
                spool.close()
            self._full.clear()

    def _spool(self, kind: str, at: float) -> Spool:
        folder = day_folder(self._folder, KINDS[kind], at)
        if folder not in self._open:
            self._units += 1
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._open[folder] = kind, Spool(Unit(folder, f"{self._name}-{self._units}"))
        return self._open[folder][1]

    def _patch(self, place: Place, fields: Mapping[str, Any]) -> bool:
        if place.spool.closed:
            return False
        with suppress(OSError):
            place.spool.append({"n": place.n, "patch": fields})
            return True
        self.counts["failed"] += 1
        return False

    def _sync(self, clock: float) -> None:
        self._synced = clock
        for spool in [spool for _, spool in self._open.values()] + [spool for _, spool, _ in self._full]:
            with suppress(OSError):
                spool.sync()

    def _make_parts(self, full: list[tuple[str, Spool, float]]) -> None:
        for one in full:
            kind, spool, _ = one
            self._full.remove(one)
            try:
                make_part(spool.unit, KINDS[kind])
            except OSError:  # tried again in a while; until then the spool is read as it is
                self._full.append((kind, spool, time.monotonic()))
            else:
                spool.close()
