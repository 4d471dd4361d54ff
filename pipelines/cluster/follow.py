"""Follow a run on a cluster: poll the state of its steps and display it in the terminal."""

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
from pipelines.run.display import STYLES, clean, duration
from robo_poet.commands import command

POLL, PATIENCE = 5.0, 300.0  # seconds between two polls; seconds without a response before the client gives up
KUBEFLOW_ENDED = ("SUCCEEDED", "FAILED", "CANCELED", "SKIPPED", "ERROR")
BUILT_IN = re.compile(r"^(root|executor|.+-driver)(\(\d+\))?$")  # pods that Kubeflow adds around each step
_ATTEMPT = re.compile(r"\(\d+\)$")


@dataclass(frozen=True)
class Task:
    """A step in the state that the API reports. `seconds` is the run time, None before the step has ended."""

    name: str
    state: str
    seconds: float | None = None


@dataclass(frozen=True)
class Snapshot:
    """The state of a run at one moment. If `poll_error` is set, the last poll failed and the other fields are the last known state."""

    state: str = "PENDING"
    tasks: tuple[Task, ...] = ()
    error: str = ""
    poll_error: str = ""

    @property
    def ended(self) -> bool:
        """Whether the run has ended."""
        return self.state in KUBEFLOW_ENDED

    @property
    def exit_status(self) -> int:
        """0 if the run succeeded, else 1."""
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
    """Call `listener` with each change until the run has ended. Return the last snapshot.

    Args:
        names: task → display name, from `display_names`.
        poll: seconds between two polls.
        patience: seconds without any response before `follow` gives up.

    Raises:
        Unreachable: no response for longer than `patience`. The run continues on the cluster.
        Refused: the token has expired. The run continues on the cluster.
    """
    last, silent_since = Snapshot(state=""), None
    while True:
        try:
            current = snapshot(client.get_run(run_id), names or {})
            silent_since = None
        except Unreachable as error:
            silent_since = silent_since or time.monotonic()
            if time.monotonic() - silent_since > patience:
                raise Unreachable(
                    f"{error.what}, for {patience:.0f} s; the run continues", where=error.where, remedy=f"run {_wait_command(run_id)}"
                ) from None
            current = Snapshot(last.state, last.tasks, last.error, poll_error=str(error))
        except Refused as error:
            remedy = f"get a new token, then run {_wait_command(run_id)}"
            raise Refused(f"{error.what}; the run continues", where=error.where, remedy=remedy) from None
        if current != last:
            listener(current)
            last = current
        if current.ended and not current.poll_error:
            return current
        time.sleep(poll)


def snapshot(run: Any, names: Mapping[str, str]) -> Snapshot:
    """Return the snapshot for an API response (V2beta1Run)."""
    details = (run.run_details.task_details if run.run_details else None) or []
    tasks: dict[str, Task] = {}
    for detail in sorted(details, key=lambda entry: entry.create_time.timestamp() if entry.create_time else 0.0):
        name, state = detail.display_name or "", detail.state or "PENDING"
        if not name or (BUILT_IN.match(name) and state != "FAILED"):
            continue
        task_name = _ATTEMPT.sub("", name)
        # the last attempt wins
        tasks[task_name] = Task(names.get(task_name, task_name), state, _seconds(detail.start_time, detail.end_time))
    return Snapshot(run.state or "PENDING", tuple(tasks.values()), (run.error.message or "") if run.error else "")


def display_names(pipeline_spec: Mapping[str, Any]) -> dict[str, str]:
    """Return task name → display name from the IR. The API reports only task names."""
    document = pipeline_spec.get("pipeline_spec", pipeline_spec)  # Kubeflow nests the IR if the YAML has a second document
    names: dict[str, str] = {}
    for component in [document.get("root", {}), *document.get("components", {}).values()]:
        for task, value in component.get("dag", {}).get("tasks", {}).items():
            names[task] = value.get("taskInfo", {}).get("name", task)
    return names


def display_names_in(ir: Path) -> dict[str, str]:
    """Return `display_names` of a compiled YAML file."""
    return display_names(next(yaml.safe_load_all(ir.read_text("utf-8"))))


def names_of_run(client: kfp.Client, run_id: str) -> dict[str, str]:
    """Return `display_names` of the pipeline version of a run; empty if the run has no version.

    Raises:
        ClusterError: no such run, or no response.
    """
    reference = client.get_run(run_id).pipeline_version_reference
    if not reference or not reference.pipeline_version_id:
        return {}
    version = client.get_pipeline_version(reference.pipeline_id, reference.pipeline_version_id)
    return display_names(version.pipeline_spec or {})


def _wait_command(run_id: str) -> str:
    return f"{command(f'cluster wait {run_id}')} to follow it again"


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    """Return the seconds from start to end, None if one is missing. KFP reports the year 1970 for a time that is not set."""
    if start is None or end is None or start.year < 2000 or end.year < 2000:
        return None
    return (end - start).total_seconds()


@contextmanager
def watch_on(console: Console) -> Iterator[Callable[[Snapshot], None]]:
    """Yield a listener for `follow` that displays snapshots on `console`: as a live table on a terminal, otherwise as lines."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    with Live(console=console, auto_refresh=False) as live:
        yield lambda current: live.update(snapshot_table(current), refresh=True)


def snapshot_table(now: Snapshot) -> Group:
    """Return the live view, with one row per step."""
    grid = Table.grid(padding=(0, 2))
    for task in now.tasks:
        grid.add_row(Text(clean(task.name)), Text(state_text(task.state), STYLES.get(state_text(task.state), "")), duration(task.seconds))
    return Group(grid, Text(f"run {state_text(now.state)}", "dim"), *([Text(clean(now.poll_error), "yellow")] if now.poll_error else []))


def state_text(state: str) -> str:
    """Return a state of the API in lower case, with spaces."""
    return state.lower().replace("_", " ")


class _Lines:
    """A listener that prints one line per change since the last snapshot."""

    def __init__(self, console: Console) -> None:
        self._console, self._before = console, Snapshot(state="")

    def __call__(self, current: Snapshot) -> None:
        before = {task.name: task.state for task in self._before.tasks}
        for task in current.tasks:
            if before.get(task.name) != task.state:
                self._say(_line(task))
        if current.poll_error and not self._before.poll_error:
            self._say(f"warning: {current.poll_error}; retrying")
        if self._before.poll_error and not current.poll_error:
            self._say("the cluster responds again")
        if current.state != self._before.state:
            self._say(f"run {state_text(current.state)}")
        self._before = current

    def _say(self, text: str) -> None:
        self._console.print(Text(f"{time.strftime('%H:%M:%S')}  {clean(text)}"), soft_wrap=True)


def _line(task: Task) -> str:
    return f"{task.name}: {state_text(task.state)}" + (f" in {duration(task.seconds)}" if task.seconds is not None else "")
