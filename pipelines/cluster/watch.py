"""The display of a run that is followed: a live table on a terminal, a line for each change elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pipelines.cluster.follow import Snapshot, Task
from pipelines.run.board import clean, duration

STYLES = {"RUNNING": "bold cyan", "SUCCEEDED": "green", "FAILED": "bold red", "SKIPPED": "dim", "PENDING": "dim"}


@contextmanager
def watch_on(console: Console) -> Iterator[Callable[[Snapshot], None]]:
    """A listener for `follow` that shows what it hears on `console`."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    with Live(console=console, auto_refresh=False) as live:
        yield lambda now: live.update(table(now), refresh=True)


def table(now: Snapshot) -> Group:
    """A row a step."""
    grid = Table.grid(padding=(0, 2))
    for task in now.tasks:
        grid.add_row(Text(clean(task.name)), Text(word(task.state), STYLES.get(task.state, "")), duration(task.seconds))
    return Group(grid, Text(f"run {word(now.state)}", "dim"), *([Text(clean(now.trouble), "yellow")] if now.trouble else []))


def word(state: str) -> str:
    """A state as a person says it."""
    return state.lower().replace("_", " ")


class _Lines:
    """Says what is new since the last time."""

    def __init__(self, console: Console) -> None:
        self._console, self._before = console, Snapshot(state="")

    def __call__(self, now: Snapshot) -> None:
        before = {task.name: task.state for task in self._before.tasks}
        for task in now.tasks:
            if before.get(task.name) != task.state:
                self._say(_line(task))
        if now.trouble and not self._before.trouble:
            self._say(f"warning: {now.trouble}; still trying")
        if self._before.trouble and not now.trouble:
            self._say("the cluster answers again")
        if now.state != self._before.state:
            self._say(f"run {word(now.state)}")
        self._before = now

    def _say(self, text: str) -> None:
        self._console.print(Text(f"{time.strftime('%H:%M:%S')}  {clean(text)}"), soft_wrap=True)


def _line(task: Task) -> str:
    return f"{task.name}: {word(task.state)}" + (f" in {duration(task.seconds)}" if task.seconds is not None else "")
