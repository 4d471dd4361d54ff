"""Following a run: what is told, how it ends, and what it bears."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli.__main__ import app as front_door
from pipelines.cluster.client import connect
from pipelines.cluster.connection import find_connection
from pipelines.cluster.errors import Refused, Unreachable
from pipelines.cluster.follow import Snapshot, Task, display_names_in, follow, names_of_run, snapshot_table, watch_on
from pipelines.cluster.submit import cluster_parameters, submit_training
from pipelines.profile.load import Profile
from tests.pipelines.cluster.kubeflow_server import Kubeflow

Serve, Make = Callable[..., Kubeflow], Callable[..., Profile]
COMMAND = [str(Path(sys.executable).parent / "robo-poet"), "cluster"]
if not any(group.name == "cluster" for group in front_door.registered_groups):  # until the front door knows the command
    PROGRAM = "from cli import __main__ as door, cluster; door.app.add_typer(cluster.app, name='cluster'); door.main()"
    COMMAND = [sys.executable, "-c", PROGRAM, "cluster"]


def task(name: str, state: str, seconds: int = 0) -> dict[str, Any]:
    end = f"2026-11-22T10:00:{seconds:02d}Z" if seconds else "1970-01-01T00:00:00Z"
    return {
        "display_name": name,
        "state": state,
        "create_time": "2026-11-22T10:00:00Z",
        "start_time": "2026-11-22T10:00:00Z",
        "end_time": end,
    }


def look(state: str, *tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"state": state, "run_details": {"task_details": list(tasks)}, **more}


STORY = [
    {"state": "PENDING"},
    look("RUNNING", task("root", "RUNNING"), task("root-driver", "SUCCEEDED", 1), task("ingest-driver", "RUNNING")),
    look("RUNNING", task("root", "RUNNING"), task("ingest", "RUNNING"), task("executor(0)", "RUNNING")),
    look("SUCCEEDED", task("root", "SUCCEEDED", 9), task("ingest", "SUCCEEDED", 9), task("executor", "SUCCEEDED", 9)),
]


@pytest.fixture
def run(serve: Serve, profile: Make, ir: Path) -> tuple[Kubeflow, Any, str]:
    """A server with a run, a client of it, and the run's id."""
    server = serve()
    chosen = profile(f"cluster.host={server.address}")
    connected = connect(find_connection(chosen.cluster))
    return server, connected[0], submit_training(chosen, ir, cluster_parameters(chosen, source=""), connected=connected).run_id


def test_every_change_is_reported_once_until_success(run: tuple[Kubeflow, Any, str]) -> None:
    server, client, run_id = run
    server.story = [STORY[0], STORY[0], *STORY[1:]]
    told: list[Snapshot] = []
    end = follow(client, run_id, told.append, names=names_of_run(client, run_id), poll=0.01)
    server.looks = 0
    assert end.exit_status == 0 and told[-1] == end
    assert [(now.state, [(one.name, one.state) for one in now.tasks]) for now in told] == [
        ("PENDING", []), ("RUNNING", []), ("RUNNING", [("ingest", "RUNNING")]), ("SUCCEEDED", [("ingest", "SUCCEEDED")]),
    ]  # fmt: skip
    assert end.tasks[0].seconds == 9


@pytest.mark.parametrize("state", ["FAILED", "CANCELED", "SKIPPED"])
def test_every_unsuccessful_end_is_exit_status_1(state: str, run: tuple[Kubeflow, Any, str]) -> None:
    server, client, run_id = run
    server.story = [
        look(state, task("ingest(0)", "FAILED", 3), task("train-model-driver", "FAILED", 4), error={"code": 2, "message": "no claim"})
    ]
    end = follow(client, run_id, lambda now: None, poll=0.01)
    assert end.exit_status == 1 and end.error == "no claim"
    assert [one.name for one in end.tasks] == ["ingest", "train-model-driver"]  # a driver of Kubeflow's is told of if it failed


def test_short_outages_are_tolerated(run: tuple[Kubeflow, Any, str]) -> None:
    server, client, run_id = run
    told: list[Snapshot] = []
    server.story, server.silent = STORY, 3
    assert follow(client, run_id, told.append, poll=0.01).exit_status == 0
    assert "cannot be reached" in told[0].poll_error and not any(now.poll_error for now in told[1:])


def test_a_long_outage_stops_following_but_not_the_run(run: tuple[Kubeflow, Any, str]) -> None:
    server, client, run_id = run
    server.silent = 1000
    with pytest.raises(Unreachable, match=f"for 0 s; the run continues; run .venv/bin/robo-poet cluster wait {run_id} to follow it again"):
        follow(client, run_id, lambda now: None, poll=0.01, patience=0.1)


def test_a_token_that_expires_while_following(run: tuple[Kubeflow, Any, str]) -> None:
    server, client, run_id = run
    server.token = "another"
    with pytest.raises(Refused, match="the token was refused.*the run continues; get a new token"):
        follow(client, run_id, lambda now: None, poll=0.01)


def test_lines_and_table() -> None:
    console = Console(width=160, record=True, force_terminal=False, file=io.StringIO())
    running, done = Task("ingest", "RUNNING"), Task("ingest", "SUCCEEDED", 9)
    with watch_on(console) as listener:
        for now in (
            Snapshot("RUNNING", (running,)), Snapshot("RUNNING", (running,), poll_error="k: gone"), Snapshot("SUCCEEDED", (done,)),
        ):  # fmt: skip
            listener(now)
    lines = [re.sub(r"^\d\d:\d\d:\d\d  ", "", one.rstrip()) for one in console.export_text().splitlines()]
    assert lines == [
        "ingest: running", "run running", "warning: k: gone; retrying", "ingest: succeeded in 9.0 s",
        "the cluster responds again", "run succeeded",
    ]  # fmt: skip
    live = Console(width=80, record=True, force_terminal=True, file=io.StringIO())
    live.print(snapshot_table(Snapshot("RUNNING", (done,), poll_error="gone")))
    assert "ingest  succeeded  9.0 s" in live.export_text()
    with watch_on(live) as listener:
        listener(Snapshot("RUNNING", (running,)))


def test_display_names_are_those_of_the_definition(ir: Path) -> None:
    names = display_names_in(ir)
    assert names["train-model"] == "train-model" and names["deploy-canary"] == "deploy-canary"


def typed(server: Kubeflow, folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "ROBO_POET_CLUSTER_HOST": server.address, "NO_COLOR": "1", "COLUMNS": "200"}
    return subprocess.Popen(
        [*COMMAND, *arguments], cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=_hear_ctrl_c,
    )  # fmt: skip


def _hear_ctrl_c() -> None:
    """As in a terminal: a shell's background job, as these tests may be, hands on that SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_the_commands_submit_and_wait(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    server.story = STORY[-1:]
    out, err = typed(server, tmp_path, "submit", "--wait", "--set", "cluster.pipeline_root=gs://poets/runs").communicate(timeout=100)
    assert f"run run-1 started: {server.address}/#/runs/details/run-1" in out and "run run-1 succeeded" in out, out + err
    assert "ingest: succeeded in 9.0 s" in out and err == ""
    server.story = [look("FAILED", task("ingest", "FAILED", 3))]
    process = typed(server, tmp_path, "wait", "run-1")
    out, err = process.communicate(timeout=100)
    assert process.returncode == 1 and "run run-1 failed: ingest; http" in out and err == ""
    out, err = typed(server, tmp_path, "wait", "run-2").communicate(timeout=100)
    assert err.startswith("error: ") and "responds with 404" in err and err.count("\n") == 1


def test_ctrl_c_stops_the_following_and_not_the_run(run: tuple[Kubeflow, Any, str], tmp_path: Path) -> None:
    server, _, run_id = run
    server.story = [STORY[1]]
    process = typed(server, tmp_path, "wait", run_id)
    end = time.monotonic() + 60
    while server.looks < 2 and time.monotonic() < end:  # its first look is for the names
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130 and "Traceback" not in out + err
    assert f"robo-poet cluster stop {run_id}" in out and "terminate_run" not in server.calls
    out, _ = typed(server, tmp_path, "stop", run_id).communicate(timeout=60)
    assert "is stopping" in out and server.calls[-1] == "terminate_run"
