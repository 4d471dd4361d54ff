"""The folder of a run: `events.jsonl` during the run, `summary.json` at its end, and `logs/<step>.log`; and the parser of log lines."""

import fcntl
import json
import os
import re
import secrets
import shutil
import signal
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
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
MOST_WARNINGS = 100  # distinct warnings of an attempt that a record keeps
LONGEST_TEXT = 2_000  # characters of a warning or an error


def parse_progress(line: str) -> tuple[int, str] | None:
    """Return percent (0 to 100) and text of a progress line such as `[ 42 %] text`, None for other lines."""
    match = _PROGRESS.match(line)
    return (min(int(match[1]), 100), match[2].strip()) if match else None


def parse_warning(line: str) -> str:
    """Return the text of a warning line, empty for other lines."""
    return line.removeprefix("warning: ").strip() if line.startswith("warning: ") else ""


def parse_note(line: str) -> str:
    """Return the text of a note, an event that is not a warning; empty for other lines."""
    return line.removeprefix("note: ").strip() if line.startswith("note: ") else ""


def read_warnings(log: Path, start: int) -> tuple[str, ...]:
    """Return the warnings of a log from byte `start` on, without duplicates. After `MOST_WARNINGS`, one line counts the others."""
    texts: dict[str, None] = {}
    more = 0
    for line in _lines(log, start):
        if (text := parse_warning(line)[:LONGEST_TEXT]) and text not in texts:
            if len(texts) < MOST_WARNINGS:
                texts[text] = None
            else:
                more += 1
    return (*texts, *([f"{more:,} more warnings are in the log"] if more else []))


def last_error(log: Path, start: int) -> str:
    """Return the text of the last `error:` line of a log from byte `start` on; empty if there is none."""
    reason = ""
    for line in _lines(log, start):
        if line.startswith("error: "):
            reason = line.removeprefix("error: ").strip()[:LONGEST_TEXT]
    return reason


def failure_reason(log: Path, start: int, status: int) -> str:
    """Return in one line why a step failed: its last `error:` line or, if there is none, its exit status and its last lines.

    Args:
        start: byte offset of the attempt in the log.
        status: exit status, or minus the number of the signal.
    """
    if reason := last_error(log, start):
        return reason
    last_lines: deque[str] = deque(maxlen=TAIL)
    for line in _lines(log, start):
        if line.strip() and not parse_progress(line) and not parse_note(line):
            last_lines.append(line.strip()[:200])
    if status == -signal.SIGKILL:
        ending = "killed by SIGKILL — out of memory?"
    else:
        ending = f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
    return f"{ending}: {' | '.join(last_lines)}" if last_lines else ending


def _lines(log: Path, start: int) -> Iterator[str]:
    """Yield the lines of a log. One line is in memory at a time."""
    with log.open("rb") as file:
        file.seek(start)
        while line := file.readline(1 << 20):
            yield from line.decode("utf-8", "replace").splitlines()


@dataclass(frozen=True)
class Event:
    """An event of a step, or of the run if `task` is empty.

    - States of a step: `waiting` (another run holds its working folder), `running`, `retrying`, `warning`, and finally `ran`,
      `cached`, `failed`, `skipped` or `cancelled`.
    - States of a run: `started`, and finally `succeeded`, `failed` or `cancelled`.
    """

    task: str
    state: str
    text: str = ""
    attempt: int = 0
    detail: Mapping[str, Any] = field(default_factory=dict)
    time: float = field(default_factory=time)


Listener = Callable[[Event], None]


class Record:
    """The folder of one run. It is locked until `close`, so that `gc` does not remove it.

    Raises:
        BadInput: a run with this id exists.
    """

    def __init__(self, runs: Path, run_id: str | None, listeners: Sequence[Listener]) -> None:
        self.id = run_id or f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"[:-3] + f"-{secrets.token_hex(2)}"
        self.folder = runs.resolve() / self.id
        try:
            (self.folder / "logs").mkdir(parents=True)
        except FileExistsError:
            raise BadInput("a run with this id exists", where=str(self.folder), remedy="choose another id") from None
        self.listeners = listeners
        self.lock = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.events = (self.folder / "events.jsonl").open("a", encoding="utf-8")
        self.latest = self.folder.parent / "latest"
        self.before = self.latest.readlink().name if self.latest.is_symlink() else ""
        self._link(self.id)

    def _link(self, run_id: str) -> None:
        link = self.latest.with_name(f".latest-{self.id}")
        link.symlink_to(run_id)
        link.replace(self.latest)

    def discard(self) -> None:
        """Remove the folder of a run that stored nothing. `latest` is the run before it again. The record must still be closed."""
        if self.latest.is_symlink() and self.latest.readlink().name == self.id:
            if self.before and self.latest.with_name(self.before).exists():
                self._link(self.before)
            else:
                self.latest.unlink()
        shutil.rmtree(self.folder)

    def log(self, task: str) -> Path:
        """Return the path of the log of the step `task`."""
        return self.folder / "logs" / f"{task}.log"

    def emit(self, event: Event) -> None:
        """Write an event to `events.jsonl`, then call the listeners. A write error is ignored: a full disk must not stop the display."""
        with suppress(OSError):
            print(json.dumps(asdict(event)), file=self.events, flush=True)
        for listener in self.listeners:
            listener(event)

    def close(self, summary: Mapping[str, Any]) -> None:
        """Write `summary.json` atomically, unless `summary` is empty, and unlock the folder.

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
