"""Toy steps in containers: their image, a house that runs them, and single jobs."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.images.build import BASES
from pipelines.run.container import engine
from pipelines.run.container.docker import DockerRunner, Mount
from pipelines.run.container.engine import LABEL, Owner
from pipelines.run.execution.executor import run_pipeline
from pipelines.run.execution.process import Job
from pipelines.run.ir.steps import NO_LIMITS, Container, Limits
from pipelines.run.result import RunResult
from robo_poet.errors import BadInput
from tests.pipelines.run.conftest import IMAGE, ROOT, House

DRIVER = """
import sys
from pathlib import Path
from pipelines.run.container.docker import DockerRunner
from pipelines.run.execution.executor import run_pipeline
ir, home = map(Path, sys.argv[1:3])
result = run_pipeline(ir, {}, store=home / "store", runs=home / "runs", runner=DockerRunner(lambda image: {}, grace=1))
print(result.status, result.error, flush=True)
sys.exit(result.exit_status)
"""


def base_as(name: str) -> Iterator[str]:
    """The engine's base image under another name, for as long as a fixture lasts."""
    try:
        engine.find()
    except BadInput as error:
        pytest.skip(str(error))
    base = next(iter(engine.images([name for name in (os.environ.get("BASE_IMAGE", ""), *BASES) if name])), "")
    if not base:
        pytest.skip("the engine has no base image; infra/images/base.sh makes one")
    engine.call("tag", base, name)
    yield name
    engine.call("rmi", "--no-prune", name)


@pytest.fixture(scope="module")
def toy() -> Iterator[str]:
    """The toys' image."""
    yield from base_as(IMAGE)


def containers(pid: int | None = None, *states: str) -> list[str]:
    """Containers of the executor `pid`, of this one if not given, in these states or in any: another test may run some beside us."""
    filters = [f"--filter=status={state}" for state in states]
    shown = '{{.ID}} {{.Label "LABEL"}}'.replace("LABEL", LABEL)
    lines = engine.call("ps", "--all", "--no-trunc", f"--filter=label={LABEL}", *filters, "--format", shown).out.splitlines()
    owned = [(number, Owner.parse(label)) for number, _, label in (line.partition(" ") for line in lines)]  # a container that goes has none
    return [number for number, owner in owned if owner and owner.pid == (pid or os.getpid())]


class Dock(House):
    """A house whose steps are containers."""

    def dock(self, ir: Callable[..., Any] | Path, mounts: tuple[Mount, ...] = (), **parameters: Any) -> RunResult:
        ir = self.compile(ir) if callable(ir) else ir
        runner = DockerRunner(lambda image: {}, mounts, grace=1)
        return run_pipeline(ir, parameters, store=self.home / "docked", runs=self.home / "docked-runs", runner=runner)

    def start_docked(self, ir: Path) -> "subprocess.Popen[str]":
        child = subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(ir), str(self.home)], env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self.children.append(child)
        return child


@pytest.fixture
def dock(toy: str, tmp_path: Path) -> Iterator[Dock]:
    dock = Dock(tmp_path)
    yield dock
    for child in dock.children:
        if child.poll() is None:
            child.kill()
        child.wait()
        if child.stdout:
            child.stdout.close()


@pytest.fixture
def run(toy: str, tmp_path: Path) -> Iterator[Callable[..., tuple[int, str]]]:
    """Runs a script in a container; returns how it ended and what it said."""
    work = tmp_path / "a work, folder"  # a comma and blanks, as a person's folder may have
    work.mkdir()
    work.chmod(0o777)
    lock = os.open(work, os.O_RDONLY | os.O_DIRECTORY)

    def run(
        script: str, *arguments: str, runner: DockerRunner | None = None, reads: tuple[Path, ...] = (), cancel: threading.Event | None = None,
        resources: Limits = NO_LIMITS,
    ) -> tuple[int, str]:  # fmt: skip
        runner, log = runner or DockerRunner(lambda image: {}, grace=1), tmp_path / f"{time.monotonic_ns()}.log"
        runner.check(Container(toy, ("sh",), (), {}, resources))
        job = Job(toy, ("sh", "-c", script, "sh", *arguments), {"GIVEN": "by the step"}, work, log, reads, lock, resources)
        return runner.run(job, cancel or threading.Event()), log.read_text()

    yield run
    os.close(lock)
