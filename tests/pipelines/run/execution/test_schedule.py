"""Order over random graphs, compiled by KFP: every step after its producers, exactly once; after a failure nothing new (PIPE-1)."""

import json
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kfp import compiler, dsl

from pipelines.run.execution.executor import run_pipeline
from pipelines.run.execution.process import Job
from pipelines.run.ir.steps import Container


class FakeRunner:
    """Writes down when each job began and ended, checks that its inputs are there, and fails those that it is told to."""

    def __init__(self, failing: set[int]) -> None:
        self.failing, self.guard = failing, threading.Lock()
        self.said: list[tuple[str, int]] = []
        self.at_once = self.most = 0

    def check(self, container: Container) -> None:
        """Runs anything."""

    def close(self) -> None:
        """Holds nothing."""

    def run(self, job: Job, cancel: threading.Event) -> int:
        """The arguments are the node's number, its output file, and its inputs' values."""
        number = int(job.argv[1])
        with self.guard:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            self.said.append(("begins", number))
        assert all(json.loads(value) >= 0 for value in job.argv[3:])
        time.sleep(0.001)
        Path(job.argv[2]).write_text(str(number))
        job.log.touch()
        with self.guard:
            self.at_once -= 1
            self.said.append(("ends", number))
        return 1 if number in self.failing else 0


@dsl.container_component
def node(number: int, out: dsl.OutputPath(int), first: int = 0, second: int = 0):  # type: ignore
    return dsl.ContainerSpec(image="x/robo-poet/node:1", command=["node"], args=[number, out, first, second])


@st.composite
def graphs(draw: st.DrawFn) -> list[tuple[list[int], list[int]]]:
    """For each node, the earlier ones whose output it reads (at most two), and those that it merely comes after."""
    nodes = []
    for number in range(draw(st.integers(1, 8))):
        earlier = st.lists(st.integers(0, number - 1), max_size=2, unique=True) if number else st.just([])
        nodes.append((draw(earlier), draw(earlier)))
    return nodes


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs(), st.sets(st.integers(0, 7), max_size=1), st.integers(1, 3))
def test_any_graph(nodes: list[tuple[list[int], list[int]]], failing: set[int], max_parallel: int) -> None:
    def pipeline() -> None:
        tasks: list[Any] = []
        bye = node(number=100)
        with dsl.ExitHandler(bye):
            for number, (reads, after) in enumerate(nodes):
                inputs = dict(zip(("first", "second"), (tasks[other].outputs["out"] for other in reads), strict=False))
                tasks.append(node(number=number, **inputs).after(*(tasks[other] for other in after)))

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        compiler.Compiler().compile(dsl.pipeline(name="toy")(pipeline), str(home / "toy.yaml"))
        runner = FakeRunner(failing)
        result = run_pipeline(home / "toy.yaml", {}, store=home / "store", runs=home / "runs", runner=runner, max_parallel=max_parallel)
        again = run_pipeline(home / "toy.yaml", {}, store=home / "store", runs=home / "runs", runner=FakeRunner(set()))
    began = [number for what, number in runner.said if what == "begins"]
    assert len(began) == len(set(began)), "a step ran twice"
    assert runner.most <= max_parallel
    for number, (reads, after) in enumerate(nodes):
        for other in {*reads, *after} if number in began else ():
            assert runner.said.index(("ends", other)) < runner.said.index(("begins", number))
            assert other not in failing
    assert began[-1] == 100 and runner.said[-2:] == [("begins", 100), ("ends", 100)], "the exit handler runs last, whatever happened"
    if failing & set(range(len(nodes))) & set(began):
        assert result.status == "failed"
    else:
        assert result.status == "succeeded" and set(began) == {100, *range(len(nodes))}
    assert again.status == "succeeded"
    ran = {name for name, task in result.tasks.items() if task.state == "ran"}
    assert all(again.tasks[name].state == "cached" for name in ran), "finished steps are not run again"
