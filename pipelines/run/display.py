"""The display of a run, from its events and logs: a live table on a terminal, otherwise lines with the time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pipelines.run.record import LONGEST_TEXT, MOST_WARNINGS, Event, Listener, parse_note, parse_progress, parse_warning

READ_BYTES = 1 << 20  # of a log at a time
ENDED = ("ran", "cached", "failed", "skipped", "cancelled")


@dataclass
class Row:
    """The display state of a step.

    Attributes:
        since: UNIX time of its start.
        took: duration in seconds, None until it has ended.
        read: number of log bytes that have been read.
        first: first percentage above 0 and its UNIX time; a resumed training starts in the middle.
        warnings, notes: number of those that were displayed.
    """

    name: str
    display: str
    state: str = ""
    text: str = ""
    percent: int | None = None
    since: float = 0.0
    took: float | None = None
    log: Path | None = None
    read: int = 0
    first: tuple[int, float] | None = None
    warnings: int = 0
    notes: int = 0

    def seconds(self, now: float) -> float | None:
        """Return the duration of the step, or the time since its start; None if it has not started or did not run."""
        if self.state in ("", "skipped", "cancelled"):
            return None
        return self.took if self.took is not None else now - self.since

    def progress(self, percent: int, text: str, now: float) -> None:
        """Set the progress that a log line reports."""
        self.percent, self.text = percent, text
        if percent and self.first is None:
            self.first = percent, now

    def left(self, now: float) -> float | None:
        """Return an estimate of the seconds up to 100 %, by the speed so far; None if it is too early for one, or at 100 %."""
        if self.state != "running" or self.percent is None or self.first is None or not self.first[0] < self.percent < 100:
            return None
        percent, since = self.first
        return (now - since) / (self.percent - percent) * (100 - self.percent)


class Board:
    """The rows of all steps. `handle_event` and `read_logs` update them and return new warnings and notes."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.run, self.status, self.text, self.begun = "", "", "", time.time()
        self.warned: set[tuple[str, str]] = set()

    def handle_event(self, event: Event) -> list[str]:
        """Update the rows from an event. Return the new warnings."""
        if not event.task:
            if event.state == "started":
                self.run, self.begun = event.text, event.time
                self.rows = {step["name"]: Row(step["name"], step["display"]) for step in event.detail["steps"]}
            else:
                self.status, self.text = event.state, event.text
            return []
        row = self.rows[event.task]
        if event.state == "warning":
            return self._new(row, [event.text])
        warnings = self._read(row) if event.state in ENDED else []
        row.state, row.text, row.since = event.state, clean(event.text), row.since or event.time
        if event.state == "running":
            row.log, row.percent, row.first = Path(event.detail["log"]), None, None
        elif event.state in ENDED:
            row.took = event.detail["seconds"]
        return warnings + self._new(row, event.detail.get("warnings", []))

    def read_logs(self) -> list[str]:
        """Update the rows from new log lines of running steps. Return the new warnings and notes."""
        return [line for row in self.rows.values() if row.state == "running" for line in self._read(row)]

    def _read(self, row: Row) -> list[str]:
        if row.log is None or not row.log.exists():
            return []
        warnings: list[str] = []
        notes: list[str] = []
        with row.log.open("rb") as file:
            file.seek(row.read)
            while data := file.read(READ_BYTES):
                complete_lines = data[: max(data.rfind(b"\n"), data.rfind(b"\r")) + 1]  # an incomplete last line is read next time
                if not complete_lines:
                    break
                row.read += len(complete_lines)
                file.seek(row.read)
                self._read_lines(row, complete_lines.decode("utf-8", "replace").splitlines(), warnings, notes)
        return self._new(row, warnings) + notes

    def _read_lines(self, row: Row, lines: list[str], warnings: list[str], notes: list[str]) -> None:
        """Update a row from log lines, and add their warnings and notes. After `MOST_WARNINGS`, they are only in the log."""
        for line in lines:
            if progress := parse_progress(line):
                row.progress(progress[0], clean(progress[1]), time.time())
            elif text := parse_warning(line):
                if len(warnings) < MOST_WARNINGS:
                    warnings.append(text[:LONGEST_TEXT])
            elif (text := parse_note(line)) and row.notes < MOST_WARNINGS:
                row.notes += 1
                notes.append(f"{row.display}: {clean(text[:LONGEST_TEXT])}")

    def _new(self, row: Row, texts: list[str]) -> list[str]:
        room = MOST_WARNINGS + 1 - row.warnings  # one more for the line that counts the others
        new_texts = [text for text in dict.fromkeys(texts) if (row.name, text) not in self.warned][: max(0, room)]
        row.warnings += len(new_texts)
        self.warned.update((row.name, text) for text in new_texts)
        return [f"warning: {row.display}: {clean(text)}" for text in dict.fromkeys(new_texts)]


def clean(text: str) -> str:
    """Remove terminal control characters from the text of a step."""
    return "".join(character for character in text if character.isprintable())


def duration(seconds: float | None) -> str:
    """Format a duration as `4.2 s`, `3:07` or `1:02:45`; None gives the empty text."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


STYLES = {  # of local states, and of Kubeflow states in lower case
    "running": "bold cyan", "waiting": "yellow", "retrying": "yellow", "ran": "green", "cached": "green", "failed": "bold red",
    "skipped": "dim", "cancelled": "yellow", "": "dim", "pending": "dim", "succeeded": "green",
}  # fmt: skip
PROGRESS_EVERY = 10.0  # seconds between two progress lines of a step without a terminal


def display_on(console: Console) -> AbstractContextManager[Listener]:
    """Return a context with a listener that displays a run on `console`. Rich detects terminals and respects NO_COLOR."""
    return _live(console) if console.is_terminal else _lines(console)


def table(board: Board, now: float) -> RenderableType:
    """Return the live view, with one row per step. `now` is UNIX time."""
    grid = Table.grid(padding=(0, 2))
    for last in (False, False, False, False, False, True):
        grid.add_column(no_wrap=not last)  # a narrow terminal shortens only the text
    for row in board.rows.values():
        bar, percent = _bar(row, now)
        state = Text(row.state or "pending", STYLES[row.state])
        left = row.left(now)
        text = row.text if left is None else f"{duration(left)} left · {row.text}"
        grid.add_row(Text(row.display), state, bar, percent, duration(row.seconds(now)), Text(text, no_wrap=True, overflow="ellipsis"))
    done = sum(row.state in ENDED for row in board.rows.values())
    footer = f"run {board.run}  {done} of {len(board.rows)} steps  {duration(now - board.begun)}  {board.status}"
    return Group(grid, Text(footer.rstrip(), "dim"))


def _bar(row: Row, now: float) -> tuple[RenderableType, str]:
    """Return the bar and the percentage of a step. At 100 % the bar moves: the step still writes its results."""
    if row.state != "running" or row.percent is None:
        return Text(""), ""
    if row.percent >= 100:
        return ProgressBar(None, 0, width=20, pulse=True, animation_time=now), ""
    return ProgressBar(100, row.percent, width=20), f"{row.percent:3d} %"


@contextmanager
def _live(console: Console) -> Iterator[Listener]:
    board, guard = Board(), threading.Lock()  # rich has its own lock: never call rich while the guard is held
    with Live(console=console, auto_refresh=False) as live:

        def show(lines: list[str]) -> None:
            for line in lines:
                console.print(Text(line, "yellow"))
            with guard:
                view = table(board, time.time())
            live.update(view, refresh=True)

        def listener(event: Event) -> None:
            with guard:
                lines = board.handle_event(event)
            show(lines)

        def refresh() -> None:
            with guard:
                lines = board.read_logs()
            show(lines)

        with _every(0.25, refresh):
            yield listener


@contextmanager
def _lines(console: Console) -> Iterator[Listener]:
    board, guard = Board(), threading.Lock()
    printed_at: dict[str, float] = {}
    with_progress: set[str] = set()

    def print_line(text: str) -> None:
        console.print(Text(f"{time.strftime('%H:%M:%S')}  {text}"), soft_wrap=True)

    def listener(event: Event) -> None:
        with guard:
            for line in board.handle_event(event):
                print_line(line)
            if not event.task:
                print_line(f"run {board.run} {event.state}")
            elif event.state not in ("warning", "cancelled"):  # cancelled steps after a failure get no line
                printed_at[event.task] = event.time
                print_line(_line(board.rows[event.task], event))

    def refresh() -> None:
        with guard:
            for line in board.read_logs():
                print_line(line)
            for row in board.rows.values():
                due = time.time() - printed_at.get(row.name, 0.0) >= PROGRESS_EVERY
                if row.state == "running" and row.percent is not None and (due or row.name not in with_progress):
                    with_progress.add(row.name)  # the first text, such as "going on from the checkpoint", is printed immediately
                    printed_at[row.name] = time.time()
                    print_line(f"{row.display}: {row.percent} % {row.text}".rstrip())

    with _every(1.0, refresh):
        yield listener


@contextmanager
def _every(seconds: float, work: Callable[[], None]) -> Iterator[None]:
    """Call `work` every `seconds` seconds in a thread, until the context ends."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(seconds):
            work()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _line(row: Row, event: Event) -> str:
    attempt = f" (attempt {event.attempt})" if event.state == "running" and event.attempt > 1 else ""
    took = f" in {duration(row.took)}" if event.state in ("ran", "failed") else ""
    return f"{row.display}: {event.state}{attempt}{took}" + (f": {row.text}" if row.text else "")
