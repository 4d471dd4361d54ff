"""Programs of `robo-poet serve` are killed under load. The service goes on: 503 with Retry-After, and ready again by itself."""

import asyncio
import collections
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from robo_poet.registry.registry import Registry
from serving.access.api_keys import KeyStore
from serving.supervisor.supervisor import HUNG_SECONDS
from tests.security.short_connections import short_connections
from tests.serving.gateway.running import wait_until
from tests.serving.load import Outcome, Target, open_loop

TEXT = {"text": "the rose sleeps upon", "max_length": 20}
RATE = 20  # requests in a second
READY_SECONDS = 10.0  # a killed model server is ready again after this time at most, on a machine of 2 cores that does nothing else


class Service:
    """A running `robo-poet serve`.

    Attributes:
        lines: what it printed.
    """

    def __init__(self, folder: Path, registry: Registry) -> None:
        self.folder, self.lines = folder, list[str]()
        command = [
            sys.executable, "-m", "cli", "serve", "--port", "0", "--registry", str(registry.root), "--folder", str(folder),
            "--set", "serve.signature=generate", "--set", "serve.access.ip_requests_per_minute=100000",
        ]  # fmt: skip
        self.process = subprocess.Popen(command, cwd=folder.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        assert wait_until(lambda: len(self.lines) >= 3 or self.process.poll() is not None, 120)
        found = re.search(r"(http://127\.0\.0\.1:\d+)/#key=(\S+)", self.lines[0])
        assert found, self.lines
        self.address, self.key = found[1], found[2]
        self.load_key = KeyStore(folder / "keys").create("load", ("generate", "internal-load"), 1).text

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            self.lines.extend(line.rstrip("\n") for line in output)

    def pid(self, name: str) -> int:
        """Return the process ID of a program; 0 while it does not run."""
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        pids = [pid for file in children for pid in file.read_text().split()]
        return next((int(pid) for pid in pids if f"serving.{name}\0".encode() in _command_line(pid)), 0)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a program."""
        pid = self.pid(name)
        assert pid > 1
        os.kill(pid, number)

    def restarts(self, name: str) -> list[str]:
        """Return the lines about restarts of a program."""
        return [line for line in self.lines if line.startswith(f"{name} ") and "ready again" in line]

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.address}{path}", timeout=20)

    def is_ready(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return self.get("/readyz").status_code == 200
        return False

    def stop(self) -> int:
        self.process.terminate()
        status = self.process.wait(60)
        self._reader.join()
        return status


def _command_line(pid: str) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def target(service: Service) -> Target:
    return Target(service.address, lambda number: {**TEXT, "seed": number}, {"X-API-Key": service.load_key})


def answers(outcomes: list[Outcome]) -> dict[int, int]:
    """Return the number of answers by status. Each 503 has Retry-After, and each request has an answer."""
    assert all(outcome.retry_after is not None for outcome in outcomes if outcome.status == 503)
    return dict(collections.Counter(outcome.status for outcome in outcomes))


@pytest.fixture(scope="module")
def service(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("dying") / "serve", registry)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.stop()


@contextlib.contextmanager
def under_load(service: Service, seconds: float, outcomes: list[Outcome]) -> Iterator[None]:
    """Run the block during a load, one second after its begin. Append the requests to `outcomes`."""
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(asyncio.run, open_loop(target(service), RATE, seconds))
        time.sleep(1)
        yield
        outcomes += load.result()


def seconds_to_ready(service: Service) -> float:
    """Wait until the killed model server is ready again. Return the time from now, in seconds."""
    begin = time.monotonic()
    assert wait_until(lambda: not service.is_ready(), 5)
    assert wait_until(service.is_ready, 90)
    return time.monotonic() - begin


def test_a_killed_model_server_is_restarted_and_the_gateway_says_so(service: Service) -> None:
    outcomes, address = list[Outcome](), json.loads((service.folder / "gateway.json").read_text())["model_server"]
    time.sleep(1)  # the gateway looks for new keys each second
    with under_load(service, 3, outcomes), httpx.stream(
        "POST", f"{service.address}/v1/generate", headers={"X-API-Key": service.load_key},
        json={**TEXT, "stream": True, "max_length": 480, "num_samples": 5}, timeout=60,
    ) as stream:  # fmt: skip
        lines = stream.iter_lines()
        assert stream.status_code == 200 and next(lines) == "event: text"
        service.kill("model_server")
        assert wait_until(lambda: service.get("/readyz").status_code == 503, 5)
        ready, alive = service.get("/readyz"), service.get("/healthz")
        *_, event, data, _ = lines  # an event ends with an empty line
    assert (event, json.loads(data.removeprefix("data: "))["status_code"]) == ("event: error", 503)
    assert ready.json()["degraded"] == ["the model server cannot be reached"] and ready.headers["retry-after"] == "1"
    assert (alive.status_code, alive.json()) == (200, {"status": "alive"})
    counts = answers(outcomes)
    assert set(counts) == {200, 503} and counts[503] >= RATE, counts
    refused = httpx.post(
        f"{service.address}/v1/generate", json={**TEXT, "stream": True}, headers={"X-API-Key": service.load_key}, timeout=20
    )
    assert refused.status_code == 200 or (refused.json()["error"]["code"], refused.headers["retry-after"]) == ("model_unavailable", "1")

    assert wait_until(service.is_ready, 90)
    assert wait_until(lambda: len(service.restarts("model_server")) == 1)
    assert service.restarts("model_server")[0].startswith("model_server was killed by SIGKILL; it was restarted and is ready again after ")
    assert json.loads((service.folder / "gateway.json").read_text())["model_server"] == address
    metrics = service.get("/metrics").text
    assert re.search(r'robo_poet_requests_total\{[^}]*status="5xx"[^}]*\} [1-9]', metrics) and "model_unavailable" in metrics
    assert answers(asyncio.run(open_loop(target(service), RATE, 0.5))) == {200: RATE // 2}


def test_a_killed_gateway_is_restarted_with_its_address_and_key(service: Service) -> None:
    old = service.pid("gateway")
    service.kill("gateway")
    assert wait_until(lambda: service.pid("gateway") not in (0, old), 10)
    assert wait_until(service.is_ready, 60)
    answer = httpx.post(f"{service.address}/v1/generate", json=TEXT, headers={"X-API-Key": service.key}, timeout=30)
    assert answer.status_code == 200, answer.text
    assert wait_until(lambda: len(service.restarts("gateway")) == 1)
    assert service.restarts("gateway")[0].startswith("gateway was killed by SIGKILL; it was restarted and is ready again after ")


def test_a_second_server_in_the_folder_changes_nothing_of_the_first(service: Service, registry: Registry) -> None:
    def contents() -> dict[str, bytes]:
        changing = ("audit", "requests", "outcomes")  # logs of the first
        files = [path for path in sorted(service.folder.rglob("*")) if path.is_file() and path.suffix != ".log"]
        return {str(path): path.read_bytes() for path in files if path.relative_to(service.folder).parts[0] not in changing}

    before = contents()
    command = [sys.executable, "-m", "cli", "serve", "--port", "0", "--registry", str(registry.root)]
    second = subprocess.run([*command, "--folder", str(service.folder)], capture_output=True, text=True, timeout=60)
    assert second.returncode == 2 and second.stdout == "" and second.stderr.count("\n") == 1
    assert (
        f"another server uses this folder (process {service.process.pid} at {service.address}); stop it, or take another" in second.stderr
    )
    assert contents() == before and service.is_ready()


def test_a_stop_resets_no_connection_that_was_accepted(service: Service) -> None:
    async def stop_under_load() -> collections.Counter[str]:
        load = asyncio.create_task(short_connections(service.address, 2.0))
        await asyncio.sleep(1)
        service.process.send_signal(signal.SIGTERM)
        return await load

    results = asyncio.run(stop_under_load())
    assert results["answered"] > 50 and results["refused"] > 0, results
    assert (results["reset"], results["unanswered"]) == (0, 0), results
    assert service.process.wait(60) == 0 and service.lines[-1] == "stopping …"


@pytest.mark.soak
def test_twenty_kills_of_the_model_server_under_load(registry: Registry, tmp_path: Path) -> None:
    service = Service(tmp_path / "serve", registry)
    time.sleep(1)
    try:
        outcomes, seconds = list[Outcome](), list[float]()
        for _ in range(20):
            with under_load(service, 4, outcomes):
                service.kill("model_server")
                seconds.append(seconds_to_ready(service))
        counts = answers(outcomes)
        assert set(counts) <= {200, 503, 504} and counts[200] > 0, counts
        assert max(seconds) <= READY_SECONDS, seconds
        assert len(service.restarts("model_server")) == 20
    finally:
        assert service.stop() == 0


@pytest.mark.soak
def test_a_server_killed_with_sigkill_leaves_no_program_and_no_lock(registry: Registry, tmp_path: Path) -> None:
    for _ in range(2):  # the second one starts in the folder of the first
        service = Service(tmp_path / "serve", registry)
        pids = [service.pid(name) for name in ("model_server", "gateway")]
        service.process.kill()
        service.process.wait()
        assert wait_until(lambda pids=pids: not any(_command_line(str(pid)) for pid in pids), 40)  # type: ignore[misc]


@pytest.mark.soak
@pytest.mark.parametrize("name", ["model_server", "gateway"])
def test_a_stopped_program_is_killed_and_restarted(service: Service, name: str) -> None:
    """SIGSTOP stands for a deadlock: the process lives and its ports are open, but it answers nothing."""
    before, stopped = len(service.restarts(name)), service.pid(name)
    service.kill(name, signal.SIGSTOP)
    assert wait_until(lambda: len(service.restarts(name)) > before, HUNG_SECONDS + 60)
    print(service.restarts(name)[-1])
    assert "did not answer for" in service.restarts(name)[-1] and service.pid(name) != stopped
    assert httpx.post(f"{service.address}/v1/generate", json=TEXT, headers={"X-API-Key": service.key}, timeout=60).status_code == 200
