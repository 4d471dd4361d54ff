"""A killed run: kill -9, Ctrl-C, and the same command again.

Covers: process.
"""

import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kfp import dsl

SLOW = """echo slow >> "$TRACE"; echo $$ > "$TRACE.pid"
if [ -e checkpoint ]; then pwd > "$TRACE.resumed"; exit 0; fi
pwd > "$TRACE.began"; sleep 600 & echo $! > "$TRACE.grandchild"; touch checkpoint; wait"""


@pytest.fixture
def slow(house: Any, toys: SimpleNamespace) -> Path:
    def pipeline() -> None:
        first = toys.shell(script='echo first >> "$TRACE"', tick=1)
        toys.shell(script=SLOW, tick=2).after(first)

    path: Path = house.compile(pipeline)
    return path


def pids(house: Any) -> list[int]:
    """The step and its own child, once they are there."""
    files = [Path(f"{house.trace}.{name}") for name in ("pid", "grandchild")]
    checkpoint = house.until(lambda: list(house.store.glob("work/*/checkpoint")))
    assert checkpoint
    return [int(file.read_text()) for file in files]


def test_kill_9_of_the_executor_and_again(house: Any, toys: SimpleNamespace, slow: Path) -> None:
    executor = house.start(slow)
    children = pids(house)
    executor.send_signal(signal.SIGKILL)
    executor.wait()
    house.until(lambda: not any(map(toys.alive, children)), 5)  # the step, and what it had started itself
    result = house.run(slow)
    assert result.status == "succeeded", result.error
    assert [task.state for task in result.tasks.values()] == ["cached", "ran"]
    assert house.traced() == ["first", "slow", "slow"]
    assert Path(f"{house.trace}.resumed").read_text() == Path(f"{house.trace}.began").read_text()


def test_kill_9_of_the_step_and_again(house: Any, slow: Path) -> None:
    executor = house.start(slow)
    os.kill(pids(house)[0], signal.SIGKILL)
    assert executor.wait(20) == 1
    assert "killed by SIGKILL — out of memory?" in executor.stdout.read()
    assert [task.state for task in house.run(slow).tasks.values()] == ["cached", "ran"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_no_child_and_no_traceback(house: Any, toys: SimpleNamespace, slow: Path, number: int) -> None:
    executor = house.start(slow)
    children = pids(house)
    executor.send_signal(number)
    assert executor.wait(20) == 130
    assert executor.stdout.read() == "cancelled \n"
    house.until(lambda: not any(map(toys.alive, children)), 5)
    assert '"cancelled"' in (house.runs / "latest" / "summary.json").read_text()


def test_a_step_that_ignores_sigterm_is_killed(house: Any, toys: SimpleNamespace) -> None:
    def pipeline() -> None:
        toys.shell(script='trap "" TERM; echo $$ > "$TRACE.pid"; while :; do sleep 0.1; done')

    executor = house.start(house.compile(pipeline))
    child = int(house.until(lambda: (pid := Path(f"{house.trace}.pid")).exists() and pid.read_text().strip()))
    begun = time.monotonic()
    executor.send_signal(signal.SIGINT)
    assert executor.wait(20) == 130
    print(f"ended {time.monotonic() - begun:.1f} s after SIGINT, with a grace of 1 s")
    house.until(lambda: not toys.alive(child), 5)


def test_ctrl_c_while_waiting_for_a_retry(house: Any, toys: SimpleNamespace) -> None:
    def pipeline() -> None:
        with dsl.ExitHandler(toys.shell(script='echo bye >> "$TRACE"')):
            toys.shell(script='echo x >> "$TRACE"; exit 1').set_retry(3, backoff_duration="600s")

    executor = house.start(house.compile(pipeline))
    house.until(lambda: any('"retrying"' in events.read_text() for events in house.runs.glob("2*/events.jsonl")))
    executor.send_signal(signal.SIGINT)
    assert executor.wait(20) == 130 and house.traced() == ["x"]


@pytest.mark.parametrize("moment", [*range(6), *(pytest.param(6 + n, marks=pytest.mark.soak) for n in range(200))])
def test_a_kill_at_any_moment_leaves_whole_entries_or_none(house: Any, toys: SimpleNamespace, moment: int) -> None:
    def pipeline() -> None:
        previous = toys.make(script='head -c 300000 /dev/zero > "$3"')
        for tick in range(5):
            previous = toys.use(script=f'cat "$1" > "$2"; : {tick}', file=previous.outputs["file"]) if tick == 0 else previous
            toys.shell(script="true", tick=tick).after(previous)

    ir = house.compile(pipeline)
    executor = house.start(ir)
    house.until(lambda: (house.runs / "latest").exists())
    time.sleep(moment % 60 * 0.012)
    executor.send_signal(signal.SIGKILL)
    executor.wait()
    for folder in (house.store / "done").glob("[!.]*"):
        assert (folder / "entry.json").exists()
    result = house.run(ir)
    assert result.status == "succeeded" and result.warnings == []
