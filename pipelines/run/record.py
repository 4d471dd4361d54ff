"""A run's folder: `events.jsonl` as things happen, `summary.json` at the end, `logs/<step>.log`; `runs/latest` points to the last run."""

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import Any

from robo_poet.atomic import write_text
from robo_poet.errors import BadInput


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
