"""The folder of a run: `events.jsonl` as things happen, `summary.json` at the end, and `logs/<step>.log` with its kinds of lines."""

import fcntl
import json
import os
import re
import secrets
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import Any

from robo_poet.atomic import write_text
from robo_poet.errors import BadInput

_PROGRESS = re.compile(r"\[ *(\d{1,3}) ?%\] ?(.*)")
TAIL = 3


def parse_progress(line: str) -> tuple[int, str] | None:
    """Percent and text of a progress line."""
    match = _PROGRESS.match(line)
    return (min(int(match[1]), 100), match[2].strip()) if match else None


def parse_warning(line: str) -> str:
    """The text of a warning line, or nothing."""
    return line.removeprefix("warning: ").strip() if line.startswith("warning: ") else ""


def read_warnings(log: Path, start: int) -> tuple[str, ...]:
    """The warnings of a log from byte `start` on, each once."""
    return tuple(dict.fromkeys(text for line in _lines(log, start) if (text := parse_warning(line))))


def failure_reason(log: Path, start: int, status: int) -> str:
    """Why a step failed, in one line: what it says itself, else its last lines and how it ended."""
    last: deque[str] = deque(maxlen=TAIL)
    said = ""
    for line in _lines(log, start):
        if line.startswith("error: "):
            said = line.removeprefix("error: ").strip()
        if line.strip() and not parse_progress(line):
            last.append(line.strip()[:200])
    if said:
        return said
    if status == -signal.SIGKILL:
        how = "killed by SIGKILL — out of memory?"
    else:
        how = f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
    return f"{how}: {' | '.join(last)}" if last else how


def _lines(log: Path, start: int) -> list[str]:
    with log.open("rb") as file:
        file.seek(start)
        return file.read().decode("utf-8", "replace").splitlines()


@dataclass(frozen=True)
class Event:
    """Something that happened: to a step, or (`task` empty) to the run.

    States of a step: `waiting` (another run has its working folder), `running`, `retrying`, `warning`, and at last `ran`, `cached`,
    `failed`, `skipped` or `cancelled`. Of a run: `started`, and at last `succeeded`, `failed` or `cancelled`.
    """

    task: str
    state: str
    text: str = ""
    attempt: int = 0
    detail: Mapping[str, Any] = field(default_factory=dict)
    time: float = field(default_factory=time)


Listener = Callable[[Event], None]


class Record:
    """The folder of one run, locked as long as the run lives, so that `gc` leaves it alone.

    Raises:
        BadInput: there is a run of that id already.
    """

    def __init__(self, runs: Path, run_id: str | None, listeners: Sequence[Listener]) -> None:
        self.id = run_id or f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"[:-3] + f"-{secrets.token_hex(2)}"
        self.folder = runs.resolve() / self.id
        try:
            (self.folder / "logs").mkdir(parents=True)
        except FileExistsError:
            raise BadInput("there is a run of this id already", where=str(self.folder)) from None
        self.listeners = listeners
        self.lock = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.events = (self.folder / "events.jsonl").open("a", encoding="utf-8")
        beside = runs / f".latest-{self.id}"
        beside.symlink_to(self.id)
        beside.replace(runs / "latest")

    def log(self, task: str) -> Path:
        """The log of the step `task`."""
        return self.folder / "logs" / f"{task}.log"

    def emit(self, event: Event) -> None:
        """Write an event down, then tell the listeners. A full disk ends the steps that need it, not the telling."""
        with suppress(OSError):
            print(json.dumps(asdict(event)), file=self.events, flush=True)
        for listener in self.listeners:
            listener(event)

    def close(self, summary: Mapping[str, Any]) -> None:
        """Write the summary, whole, and let go of the folder.

        Raises:
            OSError: the summary cannot be written.
        """
        try:
            if summary:
                write_text(self.folder / "summary.json", json.dumps(summary, indent=1))
        finally:
            with suppress(OSError):
                self.events.close()
            os.close(self.lock)
