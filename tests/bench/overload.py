"""Four times what it can do, for a minute: what is served is still served soon, the rest is told to come again, and it recovers (SERVE-1)."""

import asyncio
import json
import sys
import time

from serving.supervisor.program import ChildProcess
from tests.bench.frame import Row
from tests.bench.serve import READERS, WARM_SECONDS, megabytes, served
from tests.serving.load import Target, closed_loop, open_loop, summary

SECONDS, TIMES, RECOVERY_SECONDS = 60.0, 4.0, 60.0


async def measure(target: Target, programs: list[ChildProcess]) -> list[Row]:
    """The storm, and the calm before and after."""
    await closed_loop(target, 1, 5)
    await asyncio.sleep(WARM_SECONDS)
    calm = summary(await closed_loop(target, 1, 30)).p50
    full = summary(await closed_loop(target, READERS, 10 * READERS)).served_per_second
    before = sum(megabytes(programs).values())
    storm = summary(await open_loop(target, TIMES * full, SECONDS))
    ended = time.perf_counter()
    while summary(await closed_loop(target, 1, 1)).p50 > 2 * calm and time.perf_counter() - ended < RECOVERY_SECONDS:
        pass
    recovered, after = time.perf_counter() - ended, sum(megabytes(programs).values())
    print(f"what became of them: {json.dumps(storm.statuses)}", file=sys.stderr)
    shed = storm.statuses.get("429", 0) + storm.statuses.get("503", 0) - storm.shed_untold
    served = storm.statuses.get("200", 0)
    return [
        Row(f"asked, {TIMES:.0f} times its capacity for {SECONDS:.0f} s", "requests/s", TIMES * full),
        Row("served of them", "requests/s", storm.served_per_second, f"{READERS} readers who wait", full),
        Row("served, P95", "s", storm.p95),
        Row("served, P99", "s", storm.p99),
        Row("told when to come again", "%", 100 * shed / storm.requests),
        Row("any other answer", "requests", storm.requests - served - shed),
        Row("until as quick as before", "s", recovered),
        Row("memory after", "MB", after, "before", before),
    ]


def run() -> list[Row]:
    """The figures of one storm."""
    with served() as running:
        return asyncio.run(measure(running.target, running.programs))
