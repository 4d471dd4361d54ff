"""What shadow scores cost: two gateways before one model server, with and without scores, in turns of a few seconds (SERVE-5).

The figure that counts is the CPU time of model server and gateway for a request, because it depends least on what else the machine does.
"""

import asyncio
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from robo_poet.registry.registry import Registry
from robo_poet.settings.serve import OutcomeSettings
from serving.access.api_keys import KeyStore
from serving.local import serving
from tests.bench.frame import Row
from tests.bench.serve import NEW, PROMPT, SETTINGS, registered

CLIENTS, TURNS, TURN_SECONDS, WARM_SECONDS = 8, 6, 10.0, 30.0
SAID = {"who": "bench", "why": "measured"}


def cpu_seconds(pid: int) -> float:
    """Return the user and system time of a process."""
    words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Way:
    """A gateway. `programs`: its process and that of the model server."""

    address: str
    key: str
    programs: tuple[int, int]


@dataclass(frozen=True)
class Turn:
    """What a turn took: CPU milliseconds for a request, and requests per second."""

    milliseconds: float
    speed: float


def with_canary(folder: Path) -> Registry:
    """Return a registry with MODEL-1, untrained, as champion and as a canary of half of the users."""
    registry = registered(folder)
    version = registry.version(1)
    registry.register(
        {name: version.folder / name for name in ("model", "tokenizer")}, metrics={}, lineage={"copy": 2}, decision={}, stage="candidate", **SAID
    )  # fmt: skip
    registry.start_canary(2, **SAID)
    registry.set_share(2, 0, 0.5, **SAID)
    return registry


@contextmanager
def second_gateway(folder: Path, like: Path) -> Iterator[tuple[str, int]]:
    """Run a gateway without shadow scores before the model server of another one. Yield its address and process number."""
    settings = json.loads(like.read_text()) | {"port": 0, "folder": str(folder), "outcomes": OutcomeSettings(shadow_share=0).model_dump()}
    path = folder.parent / "second.json"
    path.write_text(json.dumps(settings))
    with subprocess.Popen([sys.executable, "-m", "serving.gateway", f"--settings={path}"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1], process.pid
        finally:
            process.terminate()


async def turn(way: Way, numbers: Iterator[int], seconds: float) -> Turn:
    """Let the clients ask for so many seconds. Each request is of another end user, because a user is scored a few times only."""
    before, began, done = sum(map(cpu_seconds, way.programs)), time.perf_counter(), 0

    async def client(session: aiohttp.ClientSession) -> None:
        nonlocal done
        while time.perf_counter() - began < seconds:
            number = next(numbers)
            body = {"text": PROMPT, "max_length": NEW, "seed": number}
            async with session.post(f"{way.address}/v1/generate", json=body, headers={"X-End-User": str(number)}) as answer:
                await answer.read()
                assert answer.status == 200
            done += 1

    async with aiohttp.ClientSession(headers={"X-API-Key": way.key}, trust_env=False) as session:
        await asyncio.gather(*(client(session) for _ in range(CLIENTS)))
    taken, used = time.perf_counter() - began, sum(map(cpu_seconds, way.programs)) - before
    return Turn(1000 * used / done, done / taken)


def run() -> list[Row]:
    """CPU time and throughput with scores, against those without."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        registry = with_canary(folder)
        service = stack.enter_context(serving(SETTINGS, registry.root, folder / "serve"))
        pids = {program.name: program.process.pid for program in service.children}
        model_server, gateway = pids["model_server"], pids["gateway"]
        (folder / "second").mkdir()
        address, pid = stack.enter_context(second_gateway(folder / "second", folder / "serve" / "gateway.json"))
        keys = [
            KeyStore(folder / part / "keys").create("app", ("generate", "end-users", "internal-load"), 1).text
            for part in ("serve", "second")
        ]
        ways = Way(service.address, keys[0], (gateway, model_server)), Way(address, keys[1], (pid, model_server))
        time.sleep(2)  # the gateways look for new keys each second
        numbers, turns = itertools.count(), list[tuple[Turn, Turn]]()
        for way in ways:
            asyncio.run(turn(way, numbers, WARM_SECONDS))  # sizes of batches are compiled
        for count in range(TURNS):
            print(f"\rturn {count + 1} of {TURNS}", end="", file=sys.stderr, flush=True)
            turns.append((asyncio.run(turn(ways[0], numbers, TURN_SECONDS)), asyncio.run(turn(ways[1], numbers, TURN_SECONDS))))
        scores = sum(path.read_text().count('"kind":"score"') for path in (folder / "serve" / "outcomes").rglob("*.jsonl"))
    with_scores, without = ([pair[side] for pair in turns] for side in (0, 1))
    ratio = statistics.median(one.milliseconds / other.milliseconds for one, other in turns)
    return [
        Row("CPU time for a request", "ms", _middle(with_scores, "milliseconds"), "without scores", _middle(without, "milliseconds")),
        Row("the same, median of the turns' ratios", "ratio", ratio),
        Row(f"{CLIENTS} clients", "requests/s", _middle(with_scores, "speed"), "without scores", _middle(without, "speed")),
        Row("prompts scored, with the warm-up", "prompts", scores),
    ]


def _middle(turns: list[Turn], figure: str) -> float:
    return statistics.median(getattr(one, figure) for one in turns)
