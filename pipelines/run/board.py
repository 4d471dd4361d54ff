"""What a display shows: the steps of a run as its events and the logs of the running steps tell it. Knows nothing of terminals."""

import time
from dataclasses import dataclass
from pathlib import Path

from pipelines.run import log_lines
from pipelines.run.record import Event

ENDED = ("ran", "cached", "failed", "skipped", "cancelled")


@dataclass
class Row:
    """A step as it stands now; `seconds` counts from its start, or is its whole time."""

    name: str
    display: str
    state: str = ""
    text: str = ""
    percent: int | None = None
    since: float = 0.0
    took: float | None = None
    log: Path | None = None
    read: int = 0

    def seconds(self, now: float) -> float | None:
        """Seconds that the step took, or has been running."""
        if self.state in ("", "skipped", "cancelled"):
            return None
        return self.took if self.took is not None else now - self.since


class Board:
    """All rows, kept up to date by `take` and `look`; each returns the warnings that are new."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.run, self.status, self.text, self.begun = "", "", "", time.time()
        self.warned: set[tuple[str, str]] = set()

    def take(self, event: Event) -> list[str]:
        """Take an event in."""
        if not event.task:
            if event.state == "started":
                self.run, self.begun = event.text, event.time
                self.rows = {one["name"]: Row(one["name"], one["display"]) for one in event.detail["steps"]}
            else:
                self.status, self.text = event.state, event.text
            return []
        row = self.rows[event.task]
        if event.state == "warning":
            return self._new(row, [event.text])
        news = self._read(row) if event.state in ENDED else []
        row.state, row.text, row.since = event.state, clean(event.text), row.since or event.time
        if event.state == "running":
            row.log, row.percent = Path(event.detail["log"]), None
        elif event.state in ENDED:
            row.took = event.detail["seconds"]
        return news + self._new(row, event.detail.get("warnings", []))

    def look(self) -> list[str]:
        """Read what the running steps have logged since."""
        return [line for row in self.rows.values() if row.state == "running" for line in self._read(row)]

    def _read(self, row: Row) -> list[str]:
        if row.log is None or not row.log.exists():
            return []
        with row.log.open("rb") as file:
            file.seek(row.read)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]  # the rest of a line that is being written is for the next time
        row.read += len(whole)
        warnings = []
        for line in whole.decode("utf-8", "replace").splitlines():
            if found := log_lines.progress(line):
                row.percent, row.text = found[0], clean(found[1])
            elif text := log_lines.warning(line):
                warnings.append(text)
        return self._new(row, warnings)

    def _new(self, row: Row, texts: list[str]) -> list[str]:
        fresh = [text for text in texts if (row.name, text) not in self.warned]
        self.warned.update((row.name, text) for text in fresh)
        return [f"warning: {row.display}: {clean(text)}" for text in dict.fromkeys(fresh)]


def clean(text: str) -> str:
    """A step's own words without what would steer a terminal."""
    return "".join(character for character in text if character.isprintable())


def duration(seconds: float | None) -> str:
    """`4.2 s`, `3:07`, `1:02:45`."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
