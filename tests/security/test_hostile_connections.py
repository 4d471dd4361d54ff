"""1,000 hostile connections do not keep readers out (soak: median of five). A small form of it runs in `make test`."""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from robo_poet.registry.registry import Registry
from serving.access.api_keys import KeyStore
from tests.serving.gateway.conftest import QUIET
from tests.serving.load import Outcome, Target, open_loop
from tests.serving.model_server.conftest import Server


@dataclass(frozen=True)
class Process:
    """A gateway as a process."""

    address: str
    pid: int
    keys: KeyStore

    def memory_mb(self) -> float:
        """Resident memory in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024

    def open_connections(self) -> int:
        """Connections that the gateway counts, without the one of this request."""
        text = httpx.get(f"{self.address}/metrics", timeout=20).text
        return int(float(next(line.split()[-1] for line in text.splitlines() if line.startswith("robo_poet_connections_open{")))) - 1


@pytest.fixture
def gateway(registry: Registry, model_server: Server, tmp_path: Path) -> Iterator[Process]:
    settings = {**QUIET, "model_server": model_server.http, "registry": str(registry.root), "folder": str(tmp_path), "connections": 1000}
    settings |= {
        "content_filter": {"toxicity": {"prompt": "off", "completion": "off"}},
        "access": {**QUIET["access"], "ip_requests_per_minute": 100_000},
    }
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "serving.gateway", f"--settings={tmp_path / 'settings.json'}"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert "ready" in line, (tmp_path / "log").read_text()
        yield Process(line.split()[-1], process.pid, KeyStore(tmp_path / "keys"))
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


def p95_ms(outcomes: list[Outcome]) -> float:
    return 1000 * statistics.quantiles([outcome.seconds for outcome in outcomes], n=20)[-1]


async def readers(process: Process, seconds: float) -> list[Outcome]:
    """Ten readers with keys, 5 requests per second in all."""
    keys = [process.keys.create(user=f"reader{number}", scopes=("generate",), days=1).text for number in range(10)]
    await asyncio.sleep(0.3)  # the gateway reads new keys every 0.05 s
    targets = [
        Target(process.address, lambda number: {"text": "the rose sleeps", "max_length": 20, "seed": number}, {"X-API-Key": key})
        for key in keys
    ]  # fmt: skip
    outcomes = await asyncio.gather(*(open_loop(target, rate=0.5, seconds=seconds) for target in targets))
    return [outcome for of_reader in outcomes for outcome in of_reader]


def attack(process: Process, connections: int, seconds: int) -> dict[str, float]:
    """Measure the readers without and with the attack."""

    async def measure() -> dict[str, float]:
        await readers(process, 3)  # warm-up
        memory = process.memory_mb()
        calm = await readers(process, seconds)
        attacker = process.keys.create(user="eve", scopes=("generate",), days=1).text
        command = [sys.executable, "-m", "tests.security.hostile", process.address, attacker, str(connections), "20", str(seconds)]
        attacking = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        while process.open_connections() < connections // 2:  # the process needs a moment to start
            await asyncio.sleep(0.1)
        attacked = await readers(process, seconds - 2)
        most = process.memory_mb()
        printed, _ = await attacking.communicate()
        ended = time.monotonic()
        while process.open_connections() > 30 and time.monotonic() < ended + 10:
            await asyncio.sleep(0.1)
        assert sum(json.loads(printed).values()) >= connections
        return {
            "requests": len(attacked), "refused": sum(outcome.status != 200 for outcome in attacked),
            "calm_p95_ms": p95_ms(calm), "p95_ms": p95_ms(attacked), "memory_mb": most - memory, "recovered_s": time.monotonic() - ended,
        }  # fmt: skip

    return asyncio.run(measure())


def test_readers_with_keys_are_answered_during_an_attack(gateway: Process) -> None:
    result = attack(gateway, connections=150, seconds=6)
    print(result)
    assert result["refused"] == 0 and result["memory_mb"] < 100


@pytest.mark.soak
def test_a_thousand_hostile_connections_for_a_minute(gateway: Process) -> None:
    results = [attack(gateway, connections=1000, seconds=60) for _ in range(5)]
    for result in results:
        print(result)
    median = {name: statistics.median(result[name] for result in results) for name in results[0]}
    print("median", median)
    assert median["refused"] == 0 and median["memory_mb"] <= 100 and median["recovered_s"] <= 2
