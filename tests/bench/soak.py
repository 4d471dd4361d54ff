"""Ten minutes of readers who never pause: what the programs hold at the end is what they held at the beginning (SERVE-1).

Each request differs in length, samples and settings, so that whatever is kept by prompt, shape or parameter would show. Memory is told
a program; the curve is `build/bench/soak.svg`.
"""

import asyncio
import json
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from serving.supervisor.program import ChildProcess
from tests.bench.frame import Row
from tests.bench.serve import megabytes, served
from tests.serving.load import Outcome, Target, closed_loop, summary

SECONDS, READERS, SETTLED, LOOK = 600.0, 12, 120.0, 5.0
MOST = 100_000  # requests
PICTURE = Path("build/bench/soak.svg")


def asked(number: int) -> dict[str, Any]:
    """Never the same twice."""
    words = " ".join(f"rose{(number + step * step) % 97}" for step in range(1, 4 + number % 20))
    return {
        "text": words, "max_length": 20 + number % 120, "num_samples": 1 + number % 3, "seed": number,
        "temperature": 0.5 + number % 10 / 10, "top_k": 10 + number % 60, "top_p": 0.8 + number % 5 / 25,
    }  # fmt: skip


async def measure(target: Target, programs: list[ChildProcess]) -> tuple[list[Outcome], list[tuple[float, dict[str, float]]]]:
    """The requests, and memory by the time."""
    begun, seen = time.perf_counter(), list[tuple[float, dict[str, float]]]()

    async def look() -> None:
        while True:
            now = time.perf_counter() - begun
            seen.append((now, megabytes(programs)))
            print(f"\r{now:.0f} of {SECONDS:.0f} s, {sum(seen[-1][1].values()):,.0f} MB", end="", file=sys.stderr, flush=True)
            await asyncio.sleep(LOOK)

    looking = asyncio.create_task(look())
    outcomes = await closed_loop(target, READERS, MOST, SECONDS)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    print("\r" + " " * 40 + "\r", end="", file=sys.stderr, flush=True)
    return outcomes, seen


def growth(seen: list[tuple[float, dict[str, float]]], name: str) -> float:
    """Megabytes a minute of one program, by least squares, once it has settled."""
    points = [(at / 60, one[name]) for at, one in seen if at >= SETTLED and name in one]
    return statistics.linear_regression(*zip(*points, strict=True)).slope


def draw(seen: list[tuple[float, dict[str, float]]], path: Path) -> None:
    """Memory over the time."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.subplots()
    for name in seen[-1][1]:
        axes.plot(*zip(*((at / 60, one[name]) for at, one in seen if name in one), strict=True), label=name.replace("_", " "))
    axes.set(xlabel="minutes", ylabel="megabytes resident", ylim=(0, None), title=f"{READERS} readers without a pause")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def run() -> list[Row]:
    """Errors, latency at both ends, and memory."""
    with served() as running:
        outcomes, seen = asyncio.run(measure(replace(running.target, body=asked), running.programs))
    draw(seen, PICTURE)
    whole = summary(outcomes)
    print(f"what became of them: {json.dumps(whole.statuses)}", file=sys.stderr)
    early = summary([one for one in outcomes if SETTLED <= one.start < 2 * SETTLED])
    late = summary([one for one in outcomes if one.start >= SECONDS - SETTLED])
    at = next(one for moment, one in seen if moment >= SETTLED)
    return [
        Row("requests", "requests/s", whole.served_per_second),
        Row("any other answer than a text", "requests", whole.requests - whole.statuses.get("200", 0)),
        Row("P95, last two minutes", "ms", 1000 * late.p95, "minutes 2 to 4", 1000 * early.p95),
        *(Row(f"{name}, memory at the end", "MB", value, "after 2 min", at.get(name)) for name, value in seen[-1][1].items()),
        *(Row(f"{name}, growth after 2 min", "MB/min", growth(seen, name)) for name in seen[-1][1]),
    ]
