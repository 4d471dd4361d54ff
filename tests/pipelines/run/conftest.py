"""Toy steps as shell scripts, compiled by KFP itself: what the tests run is what a cluster would get."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kfp import compiler, dsl

from pipelines.run.execution.executor import run_pipeline
from pipelines.run.execution.process import ProcessRunner
from pipelines.run.record import Event
from pipelines.run.result import RunResult

ROOT = Path(__file__).parents[3]
IMAGE = "registry.example/robo-poet/toy:1"
DRIVER = """
import json, sys
from pathlib import Path
from pipelines.run.execution.executor import run_pipeline
from pipelines.run.execution.process import ProcessRunner
ir, home, trace = map(Path, sys.argv[1:4])
runner = ProcessRunner(home, lambda image: Path(sys.executable), {"TRACE": str(trace)}, grace=1.0)
result = run_pipeline(ir, json.loads(sys.argv[4]), store=home / "store", runs=home / "runs", runner=runner)
print(result.status, result.error, flush=True)
sys.exit(result.exit_status)
"""


@dsl.container_component
def shell(script: str, tick: int = 0):  # type: ignore[no-untyped-def]
    return dsl.ContainerSpec(image=IMAGE, command=["sh", "-c"], args=[script, "shell", tick])


@dsl.container_component
def make(script: str, text: dsl.OutputPath(str), number: dsl.OutputPath(int), file: dsl.Output[dsl.Dataset]):  # type: ignore
    """The script gets the paths of text, number, file and the executor output."""
    return dsl.ContainerSpec(
        image=IMAGE,
        command=["sh", "-c"],
        args=[script, "make", text, number, file.path, dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER],
    )


@dsl.container_component
def use(script: str, file: dsl.Input[dsl.Dataset], text: dsl.OutputPath(str), given: str = ""):  # type: ignore
    """The script gets the paths of file and text, and a value."""
    return dsl.ContainerSpec(image=IMAGE, command=["sh", "-c"], args=[script, "use", file.path, text, given])


class House:
    """A store, a folder of runs and a trace that scripts may append to, all below one folder."""

    def __init__(self, home: Path) -> None:
        self.home, self.store, self.runs, self.trace = home, home / "store", home / "runs", home / "trace"
        self.events: list[Event] = []
        self.children: list[subprocess.Popen[str]] = []

    def compile(self, function: Callable[..., Any], **parameters: Any) -> Path:
        """Compile a pipeline function with KFP."""
        path = self.home / f"{function.__name__}.yaml"
        compiler.Compiler().compile(dsl.pipeline(name="toy")(function), str(path), pipeline_parameters=parameters or None)
        return path

    def runner(self) -> ProcessRunner:
        """A process runner with the trace in its environment."""
        return ProcessRunner(ROOT, lambda image: Path(sys.executable), {"TRACE": str(self.trace)}, grace=1.0)

    def run(self, ir: Path | Callable[..., Any] | Mapping[str, Any], max_parallel: int = 2, **parameters: Any) -> RunResult:
        """Run a pipeline here."""
        if callable(ir):
            ir = self.compile(ir)
        return run_pipeline(
            ir,
            parameters,
            store=self.store,
            runs=self.runs,
            runner=self.runner(),
            listeners=[self.events.append],
            max_parallel=max_parallel,
        )

    def start(self, ir: Path, parameters: str = "{}") -> subprocess.Popen[str]:
        """Run a pipeline in a process of its own, to be killed or interrupted."""
        argv = [sys.executable, "-c", DRIVER, str(ir), str(self.home), str(self.trace), parameters]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        child = subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        self.children.append(child)
        return child

    def traced(self) -> list[str]:
        """What scripts wrote to the trace."""
        return self.trace.read_text().split() if self.trace.exists() else []

    def until(self, what: Callable[[], Any], seconds: float = 20.0) -> Any:
        """Wait until `what()` is true, and return it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := what():
                return found
            time.sleep(0.02)
        raise AssertionError("waited in vain")


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An empty house; processes that a test left are killed."""
    house = House(tmp_path)
    yield house
    for child in house.children:
        if child.poll() is None:
            child.send_signal(signal.SIGKILL)
        child.wait()
        if child.stdout:
            child.stdout.close()


@pytest.fixture
def toys() -> SimpleNamespace:
    """The toy components, and `alive`."""
    return SimpleNamespace(shell=shell, make=make, use=use, alive=alive)
