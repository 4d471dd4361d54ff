"""Follows a run on a cluster: the state of its steps, and the display of it in the terminal."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import kfp
import yaml
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pipelines.cluster.errors import Refused, Unreachable
from pipelines.run.display import clean, duration

POLL, PATIENCE = 5.0, 300.0  # seconds between two looks; and without an answer, until we give up
ENDED = ("SUCCEEDED", "FAILED", "CANCELED", "SKIPPED", "ERROR")
BUILT_IN = re.compile(r"^(root|executor|.+-driver)(\(\d+\))?$")  # pods of Kubeflow's own, around each step
_ATTEMPT = re.compile(r"\(\d+\)$")


@dataclass(frozen=True)
class Task:
    """A step as the cluster tells of it."""

    name: str
    state: str
    seconds: float | None = None


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment; `trouble` says why this is not news from the cluster."""

    state: str = "PENDING"
    tasks: tuple[Task, ...] = ()
    error: str = ""
    trouble: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ENDED

    @property
    def exit_status(self) -> int:
        """0 for a run that succeeded, else 1."""
        return 0 if self.state == "SUCCEEDED" else 1


def follow(
    client: kfp.Client,
    run_id: str,
    listener: Callable[[Snapshot], None],
    *,
    names: Mapping[str, str] | None = None,
    poll: float = POLL,
    patience: float = PATIENCE,
) -> Snapshot:
    """Tell `listener` of every change until the run has ended; returns how.

    Args:
        names: task → display name, of `display_names`.
        poll: seconds between two looks.
        patience: seconds without an answer, in one piece, that are borne.

    Raises:
        Unreachable: no answer for longer than that. The run goes on.
        Refused: the token has expired. The run goes on.
    """
    seen, silent_since = Snapshot(state=""), None
    while True:
        try:
            now = snapshot(client.get_run(run_id), names or {})
            silent_since = None
        except Unreachable as error:
            silent_since = silent_since or time.monotonic()
            if time.monotonic() - silent_since > patience:
                raise Unreachable(
                    f"{error.what}, for {patience:.0f} s; the run goes on", where=error.where, remedy=_again(run_id)
                ) from None
            now = Snapshot(seen.state, seen.tasks, seen.error, trouble=str(error))
        except Refused as error:
            raise Refused(f"{error.what}; the run goes on", where=error.where, remedy=f"get a fresh token, then {_again(run_id)}") from None
        if now != seen:
            listener(now)
            seen = now
        if now.ended and not now.trouble:
            return now
        time.sleep(poll)


def snapshot(run: Any, names: Mapping[str, str]) -> Snapshot:
    """What an answer of the API says of a run (V2beta1Run)."""
    details = (run.run_details.task_details if run.run_details else None) or []
    tasks: dict[str, Task] = {}
    for detail in sorted(details, key=lambda one: one.create_time.timestamp() if one.create_time else 0.0):
        name, state = detail.display_name or "", detail.state or "PENDING"
        if not name or (BUILT_IN.match(name) and state != "FAILED"):
            continue
        plain = _ATTEMPT.sub("", name)
        tasks[plain] = Task(names.get(plain, plain), state, _seconds(detail.start_time, detail.end_time))  # the last attempt counts
    return Snapshot(run.state or "PENDING", tuple(tasks.values()), (run.error.message or "") if run.error else "")


def display_names(pipeline_spec: Mapping[str, Any]) -> dict[str, str]:
    """Task → display name, of the IR; the API tells of tasks by the former."""
    document = pipeline_spec.get("pipeline_spec", pipeline_spec)  # Kubeflow wraps it where there is a second document
    names: dict[str, str] = {}
    for component in [document.get("root", {}), *document.get("components", {}).values()]:
        for task, value in component.get("dag", {}).get("tasks", {}).items():
            names[task] = value.get("taskInfo", {}).get("name", task)
    return names


def display_names_in(ir: Path) -> dict[str, str]:
    """`display_names` of compiled YAML."""
    return display_names(next(yaml.safe_load_all(ir.read_text("utf-8"))))


def names_of_run(client: kfp.Client, run_id: str) -> dict[str, str]:
    """`display_names` of the pipeline version that a run is made of.

    Raises:
        ClusterError: there is no such run, or no answer.
    """
    reference = client.get_run(run_id).pipeline_version_reference
    if not reference or not reference.pipeline_version_id:
        return {}
    version = client.get_pipeline_version(reference.pipeline_id, reference.pipeline_version_id)
    return display_names(version.pipeline_spec or {})


def _again(run_id: str) -> str:
    return f"`robo-poet cluster wait {run_id}` follows it again"


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    """KFP gives the year 1970 for what has not happened yet."""
    if start is None or end is None or start.year < 2000 or end.year < 2000:
        return None
    return (end - start).total_seconds()


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
