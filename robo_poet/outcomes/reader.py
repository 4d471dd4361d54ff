"""Reads the outcome log of a model incrementally: each byte once, and what was lost."""

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from robo_poet.outcomes.files import OutcomeFile, hour_of, is_written, outcome_files
from robo_poet.outcomes.record import AssignedArm

READ_BYTES = 1 << 20  # bytes per read


@dataclass(slots=True)
class _Seen:
    """What was read of one process and arm.

    Attributes:
        issued: outcomes that the process has numbered, as far as its lines say.
        read: outcomes that were read, forgotten ones among them.
        running: requests in progress at the last line that says so.
    """

    issued: int = 0
    read: int = 0
    running: int = 0


@dataclass(slots=True)
class _Place:
    """How far a file was read. `arms`: the declarations of the file."""

    offset: int = 0
    arms: dict[int, AssignedArm] = field(default_factory=dict)


@dataclass(frozen=True)
class Loss:
    """Outcomes of an arm: those that the gateways numbered or were working on when they died, and those of them that are missing."""

    issued: int
    lost: int

    @property
    def share(self) -> float:
        """Share of the lost outcomes, 0 to 1."""
        return self.lost / self.issued if self.issued else 0.0


class OutcomeReader:
    """An incremental reader of a folder of outcomes.

    Args:
        folder: the folder of the model. It may be missing.
        since: files of hours before this time (seconds since 1970) are not read.

    Attributes:
        alive_at: time of the last sign of life of any process, in seconds since 1970; None if there is no file.
        latest: time of the newest outcome that was read; None if there is none.
        damaged: lines that could not be read. An outcome among them counts as lost.
    """

    def __init__(self, folder: Path, since: float = 0) -> None:
        self._folder, self._since = folder, hour_of(max(0.0, since))
        self._places: dict[Path, _Place] = {}
        self._seen: dict[tuple[str, AssignedArm], _Seen] = defaultdict(_Seen)
        self._ended: set[str] = set()
        self._dead: set[str] = set()
        self.alive_at: float | None = None
        self.latest: float | None = None
        self.damaged = 0

    def read(self) -> Iterator[tuple[AssignedArm, dict[str, Any]]]:
        """Yield the new outcomes, ratings and scores, each with its arm. A line that is not complete yet is read the next time.

        Raises:
            OSError: a file cannot be read.
        """
        files = [file for file in outcome_files(self._folder) if file.hour >= self._since]
        last_files = {file.writer: file for file in files}
        for file in files:
            yield from self._read_file(file)
        for writer, file in last_files.items():
            if writer not in self._ended and not is_written(file.path):
                yield from self._read_file(file)  # what it wrote between the two looks
                self._dead.add(writer)
            else:
                self._dead.discard(writer)

    def losses(self, experiment: str, step: int | None = None) -> dict[str, Loss]:
        """Return the losses of each assigned arm of an experiment; of one step if it is given.

        Requests that a process was working on when it ended count as lost. Not seen are those that it began after its last line.
        """
        issued: dict[str, int] = defaultdict(int)
        lost: dict[str, int] = defaultdict(int)
        for (writer, assigned), seen in self._seen.items():
            if assigned.experiment != experiment or step not in (None, assigned.step):
                continue
            unfinished = seen.running if writer in self._dead or writer in self._ended else 0
            issued[assigned.arm] += max(seen.issued, seen.read) + unfinished
            lost[assigned.arm] += max(0, seen.issued - seen.read) + unfinished
        return {arm: Loss(issued[arm], lost[arm]) for arm in issued}

    def _read_file(self, file: OutcomeFile) -> Iterator[tuple[AssignedArm, dict[str, Any]]]:
        place = self._places.setdefault(file.path, _Place())
        try:
            handle = os.open(file.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:  # removed because of its age
            return
        with os.fdopen(handle, "rb", buffering=0) as opened:
            status = os.fstat(opened.fileno())
            self.alive_at = max(status.st_mtime, self.alive_at or 0.0)
            if status.st_size <= place.offset:
                return
            opened.seek(place.offset)
            rest = b""
            while data := opened.read(READ_BYTES):
                *lines, rest = (rest + data).split(b"\n")
                place.offset += sum(map(len, lines)) + len(lines)
                for line in lines:
                    if (entry := self._entry(file.writer, place, line)) is not None:
                        yield entry

    def _entry(self, writer: str, place: _Place, line: bytes) -> tuple[AssignedArm, dict[str, Any]] | None:
        try:
            fields = json.loads(line)
            kind = fields["kind"]
            if kind == "arm":
                place.arms[int(fields["n"])] = AssignedArm(str(fields["experiment"]), int(fields["step"]), str(fields["arm"]))
            elif kind in ("heartbeat", "end"):
                self._tally(writer, place, fields["arms"])
                if kind == "end":
                    self._ended.add(writer)
            else:
                assigned = place.arms[fields["n"]]
                if kind in ("outcome", "forgotten") and "seq" in fields:
                    seen = self._seen[writer, assigned]
                    seen.issued, seen.read = max(seen.issued, int(fields["seq"])), seen.read + 1
                    seen.running = int(fields.get("running", 0))
                if kind == "outcome":
                    self.latest = max(float(fields["time"]), self.latest or 0.0)
                return None if kind == "forgotten" else (assigned, fields)
        except (ValueError, KeyError, TypeError, AttributeError):
            self.damaged += 1
        return None

    def _tally(self, writer: str, place: _Place, arms: dict[str, list[int]]) -> None:
        for number, (issued, running) in arms.items():
            seen = self._seen[writer, place.arms[int(number)]]
            seen.issued, seen.running = max(seen.issued, int(issued)), int(running)
