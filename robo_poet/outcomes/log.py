"""The gateway's side of the outcome log: handing over a record takes microseconds, and a thread writes it.

The thread writes ten times a second. So after `kill -9`, at most the records of the last tenth of a second are missing. A slow or full
disk delays only the thread. If the queue is full, an outcome is dropped, but it keeps its number, so its loss is seen by every reader.
"""

import contextlib
import fcntl
import os
import secrets
import stat
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from robo_poet.outcomes.files import file_name, remove_old
from robo_poet.outcomes.record import AssignedArm, Outcome, Rating, Score, arm_line, outcome_line, rating_line, score_line, tally_line
from robo_poet.permissions import make_private_folder
from robo_poet.settings.serve import OutcomeSettings

WRITE_SECONDS = 0.1  # interval of the writes
HEARTBEAT_SECONDS = 1.0  # interval of the heartbeats while requests arrive
IDLE_SECONDS = 5.0  # interval in which an idle process sets the file's time of change, which also counts as a heartbeat
RESULTS = {
    "written": "outcomes written",
    "dropped": "outcomes lost: the queue was full, because the disk is slow or full",
    "notes_dropped": "ratings and scores lost for the same reason",
}


@dataclass(slots=True)
class _Tally:
    """The counts of one arm in this process: its number, the outcomes numbered so far, and the requests in progress."""

    number: int
    issued: int = 0
    running: int = 0


class _Entry(NamedTuple):
    """A record that waits. `seq` and `running` are those of an outcome."""

    number: int
    assigned: AssignedArm
    record: Outcome | Rating | Score
    seq: int = 0
    running: int = 0


@dataclass(slots=True)
class _Batch:
    """What is written at a time. `outcomes` counts the outcomes among the lines."""

    entries: list[_Entry]
    tallies: dict[int, tuple[int, int]]
    arms: dict[int, AssignedArm]
    outcomes: int = field(default=0)


class OutcomeLog:
    """A writer of outcomes. No method blocks or raises because of the disk.

    Args:
        folder: folder of the model's outcomes, created with mode 0700. Each process has its own files, so replicas can share the folder.
        clock: returns seconds since 1970.
    """

    def __init__(self, folder: Path, settings: OutcomeSettings | None = None, clock: Callable[[], float] = time.time) -> None:
        self._folder, self._settings, self._clock = folder, settings or OutcomeSettings(), clock
        self._writer = secrets.token_hex(8)
        self._queue: deque[_Entry] = deque()
        self._tallies: dict[AssignedArm, _Tally] = {}
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._trouble = ""
        self._file = _File(folder, self._writer)
        self._pending = b""
        self._pending_outcomes = 0
        self._reported: Mapping[int, tuple[int, int]] = {}
        self._heartbeat_at = float("-inf")
        self._hour = ""
        self._thread = threading.Thread(target=self._run, name="outcomes", daemon=True)
        self._thread.start()

    @property
    def counts(self) -> Mapping[str, int]:
        """Return the number of outcomes by result. `RESULTS` describes the results."""
        with self._lock:
            return {result: self._counts[result] for result in RESULTS}

    @property
    def waiting(self) -> int:
        """Number of records that wait to be written."""
        return len(self._queue)

    @property
    def trouble(self) -> str:
        """One line about a current problem, for an operator; empty if there is none."""
        return self._trouble

    def begin(self, assigned: AssignedArm) -> None:
        """Count a request whose arm was assigned. `end` must follow."""
        with self._lock:
            self._tally(assigned).running += 1

    def end(self, assigned: AssignedArm, outcome: Outcome) -> bool:
        """Queue the outcome of a request. Return False if it is lost, because the queue is full."""
        with self._lock:
            tally = self._tally(assigned)
            tally.running -= 1
            tally.issued += 1
            if self._has_no_space():
                self._counts["dropped"] += 1
                return False
            self._queue.append(_Entry(tally.number, assigned, outcome, tally.issued, tally.running))
            return True

    def note(self, assigned: AssignedArm, record: Rating | Score) -> bool:
        """Queue a rating or a shadow score. Return False if it is lost."""
        with self._lock:
            if self._has_no_space():
                self._counts["notes_dropped"] += 1
                return False
            self._queue.append(_Entry(self._tally(assigned).number, assigned, record))
            return True

    def close(self, seconds: float = 5) -> None:
        """Write the waiting records and the last line. Wait up to `seconds` for the disk."""
        self._closing.set()
        self._thread.join(seconds)

    def _tally(self, assigned: AssignedArm) -> _Tally:
        tally = self._tallies.get(assigned)
        if tally is None:
            tally = self._tallies[assigned] = _Tally(len(self._tallies) + 1)
        return tally

    def _has_no_space(self) -> bool:
        return len(self._queue) >= self._settings.queue or self._closing.is_set()

    def _run(self) -> None:
        while not self._closing.wait(WRITE_SECONDS):
            self._tick()
        if self._tick() and self._tick(last=True):  # the first writes what was pending, the second what waited
            self._file.close()

    def _tick(self, last: bool = False) -> bool:
        """Write what waits. Return False if the disk did not take it; it is tried again."""
        try:
            self._remove_old()
            self._write()  # the rest of a partial write belongs to the file that is open
            now = self._clock()
            opened = self._file.current(now)
            batch = self._take()
            changed = batch.tallies != self._reported
            due = changed and time.monotonic() - self._heartbeat_at >= HEARTBEAT_SECONDS
            lines = list(self._lines(batch, opened.declared))
            if due or last:
                tallies = batch.tallies
                lines += self._declarations(tallies, batch.arms, opened.declared)
                lines.append(tally_line("end" if last else "heartbeat", now, tallies))
                self._reported, self._heartbeat_at = tallies, time.monotonic()
            elif time.monotonic() - self._heartbeat_at >= IDLE_SECONDS:
                os.utime(opened.handle)
                self._heartbeat_at = time.monotonic()
            self._pending, self._pending_outcomes = b"".join(lines), batch.outcomes
            self._write()
        except OSError as error:
            self._trouble = f"outcomes cannot be written ({error.strerror}); they wait, and are lost when the queue is full"
            return False
        self._trouble = ""
        return True

    def _take(self) -> _Batch:
        """Return and remove all waiting records, and the tallies at the same time.

        So a heartbeat never counts an outcome that a later line has.
        """
        with self._lock:
            entries = list(self._queue)
            self._queue.clear()
            tallies = {tally.number: (tally.issued, tally.running) for tally in self._tallies.values()}
            arms = {tally.number: assigned for assigned, tally in self._tallies.items()}
        return _Batch(entries, tallies, arms)

    def _lines(self, batch: _Batch, declared: set[int]) -> Iterable[bytes]:
        for number, assigned, record, seq, running in batch.entries:
            yield from self._declarations((number,), batch.arms, declared)
            with contextlib.suppress(ValueError):  # a number that is not finite: the line is left out, and its number counts as lost
                if isinstance(record, Outcome):
                    yield outcome_line(number, seq, assigned, record, running)
                    batch.outcomes += 1
                elif isinstance(record, Rating):
                    yield rating_line(number, record)
                else:
                    yield score_line(number, record)

    @staticmethod
    def _declarations(numbers: Iterable[int], arms: Mapping[int, AssignedArm], declared: set[int]) -> list[bytes]:
        new = [number for number in numbers if number not in declared]
        declared.update(new)
        return [arm_line(number, arms[number]) for number in new]

    def _write(self) -> None:
        """Write the pending bytes. After a partial write, the rest follows later: no other process writes to this file.

        Raises:
            OSError: the disk is full or not available.
        """
        while self._pending:
            written = os.write(self._file.handle, self._pending)
            self._pending = self._pending[written:]
        with self._lock:
            self._counts["written"] += self._pending_outcomes
        self._pending_outcomes = 0

    def _remove_old(self) -> None:
        hour = time.strftime("%Y%m%d%H")
        if hour != self._hour:
            self._hour = hour
            remove_old(self._folder, self._clock(), self._settings.keep_days)


class _File:
    """The file of the present hour. `declared` are the numbers of the arms that it has declared."""

    def __init__(self, folder: Path, writer: str) -> None:
        self._folder, self._writer = folder, writer
        self._name = ""
        self.handle = -1
        self.declared: set[int] = set()

    def current(self, now: float) -> "_File":
        """Open the file of the hour, if another one is open or the open one was removed.

        Raises:
            OSError: it cannot be created, or it is not a regular file.
        """
        name = file_name(now, self._writer)
        if self.handle >= 0 and name == self._name and os.fstat(self.handle).st_nlink:
            return self
        make_private_folder(self._folder)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        handle = os.open(self._folder / name, flags, 0o600)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise OSError(0, f"{name} is not a regular file")
        with contextlib.suppress(OSError):  # a file system without locks: readers then take the process for dead
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.close()
        self.handle, self._name, self.declared = handle, name, set()
        return self

    def close(self) -> None:
        """Close the file, which releases its lock."""
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1
