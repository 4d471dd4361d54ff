"""The one display of a run: a live table on a terminal, timestamped lines elsewhere. Listens to events, and is used as a context:

with display_on(console) as listener:
    run_pipeline(..., listeners=[listener])
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pipelines.run.board import ENDED, Board, Row, duration
from pipelines.run.record import Event, Listener

STYLES = {
    "running": "bold cyan", "waiting": "yellow", "retrying": "yellow", "ran": "green", "cached": "green", "failed": "bold red",
    "skipped": "dim", "cancelled": "yellow", "": "dim",
}  # fmt: skip
PROGRESS_EVERY = 10.0  # seconds between two progress lines of a step where there is no terminal


def display_on(console: Console) -> AbstractContextManager[Listener]:
    """Show a run on `console` (rich honours NO_COLOR and finds out whether it is a terminal)."""
    return _live(console) if console.is_terminal else _lines(console)


def table(board: Board, now: float) -> RenderableType:
    """The live view: a row a step."""
    grid = Table.grid(padding=(0, 2))
    for row in board.rows.values():
        bar = ProgressBar(100, row.percent, width=20) if row.state == "running" and row.percent is not None else Text("")
        share = f"{row.percent:3d} %" if row.state == "running" and row.percent is not None else ""
        state = Text(row.state or "waits", STYLES[row.state])
        grid.add_row(Text(row.display), state, bar, share, duration(row.seconds(now)), Text(row.text, no_wrap=True, overflow="ellipsis"))
    done = sum(row.state in ENDED for row in board.rows.values())
    foot = f"run {board.run}  {done} of {len(board.rows)} steps  {duration(now - board.begun)}  {board.status}"
    return Group(grid, Text(foot.rstrip(), "dim"))


@contextmanager
def _live(console: Console) -> Iterator[Listener]:
    board, guard = Board(), threading.Lock()  # the guard is never held while rich is called, which has a lock of its own
    with Live(console=console, auto_refresh=False) as live:

        def show(lines: list[str]) -> None:
            for line in lines:
                console.print(Text(line, "yellow"))
            with guard:
                view = table(board, time.time())
            live.update(view, refresh=True)

        def listener(event: Event) -> None:
            with guard:
                lines = board.take(event)
            show(lines)

        def look() -> None:
            with guard:
                lines = board.look()
            show(lines)

        with _every(0.25, look):
            yield listener


@contextmanager
def _lines(console: Console) -> Iterator[Listener]:
    board, guard = Board(), threading.Lock()
    told: dict[str, float] = {}
    begun: set[str] = set()

    def say(text: str) -> None:
        console.print(Text(f"{time.strftime('%H:%M:%S')}  {text}"), soft_wrap=True)

    def listener(event: Event) -> None:
        with guard:
            for line in board.take(event):
                say(line)
            if not event.task:
                say(f"run {board.run} {event.state}")
            elif event.state not in ("warning", "cancelled"):  # what waited for a failed step needs no line of its own
                told[event.task] = event.time
                say(_line(board.rows[event.task], event))

    def look() -> None:
        with guard:
            for line in board.look():
                say(line)
            for row in board.rows.values():
                waited = time.time() - told.get(row.name, 0.0) >= PROGRESS_EVERY
                if row.state == "running" and row.percent is not None and (waited or row.name not in begun):
                    begun.add(row.name)  # its first words, such as "going on from the checkpoint", are not held back
                    told[row.name] = time.time()
                    say(f"{row.display}: {row.percent} % {row.text}".rstrip())

    with _every(1.0, look):
        yield listener


@contextmanager
def _every(seconds: float, work: Callable[[], None]) -> Iterator[None]:
    """Do `work` every so many seconds, in a thread, until the context ends."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(seconds):
            work()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _line(row: Row, event: Event) -> str:
    attempt = f" (attempt {event.attempt})" if event.state == "running" and event.attempt > 1 else ""
    took = f" in {duration(row.took)}" if event.state in ("ran", "failed") else ""
    return f"{row.display}: {event.state}{attempt}{took}" + (f": {row.text}" if row.text else "")
