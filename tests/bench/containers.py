"""The `ci` profile's run step by step: each in a container of its own image beside a process of this machine (`RUNNER=docker`)."""

import statistics
import tempfile
from pathlib import Path

from pipelines.run.container import engine
from tests.bench.frame import Row
from tests.ci_run import ci_run

BOUND = 1.5  # seconds a step more


def run() -> list[Row]:
    """Every step's seconds; it needs an engine and `make images`. Ours is the container, and a ratio below 1 is what it costs.

    Raises:
        BadInput: no engine.
    """
    engine.find()
    taken: dict[str, dict[str, float]] = {}
    for runner in ("process", "docker"):
        with tempfile.TemporaryDirectory() as home:
            result = ci_run(Path(home), runner)
            if result.status != "succeeded":
                raise RuntimeError(f"{runner}: {result.error}")
            taken[runner] = {name: task.seconds for name, task in result.tasks.items()}
    rows = [Row(name, "s", seconds, "process", taken["process"][name]) for name, seconds in taken["docker"].items()]
    more = statistics.median(seconds - taken["process"][name] for name, seconds in taken["docker"].items())
    return [*rows, Row(f"a container more than a process, median of the steps (bound {BOUND})", "s", more)]
