"""A server as a process, with versions of the toy model."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from robo_poet.registry.registry import Registry
from robo_poet.registry.state.state import Stage
from serving.model_sync import config_file
from serving.model_sync.plan import Config
from serving.model_sync.sync import lay_out


class Server:
    """A running `python -m serving.model_server`.

    Attributes:
        http, grpc: the addresses it listens on.
    """

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._log_file = (folder / "server.log").open("w+")
        command = [sys.executable, "-m", "serving.model_server", "--port=0", "--rest_api_port=0", *arguments]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self._log_file, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
        )
        watchdog = threading.Timer(120, self.process.kill)
        watchdog.start()
        assert self.process.stdout is not None
        words = self.process.stdout.readline().split()
        watchdog.cancel()
        assert words[:2] == ["model_server:", "ready"], self.log()
        self.http, self.grpc = f"http://{words[3]}", words[5]

    def log(self) -> str:
        """Return the log so far."""
        self._log_file.seek(0)
        return self._log_file.read()

    def end(self) -> int:
        """Stop the server with SIGTERM and return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log_file.close()
        return status

    def call(self, path: str, **given: Any) -> httpx.Response:
        """Send a POST request with a JSON body, or a GET request without one."""
        if given:
            return httpx.post(f"{self.http}{path}", content=json.dumps(given), timeout=60)
        return httpx.get(f"{self.http}{path}", timeout=60)


def completion(seed: int = 1, new: int = 8, prompt: tuple[int, ...] = (2, 50, 60, 70)) -> dict[str, Any]:
    """Return one row of a `generate` request."""
    return {
        "prompt": list(prompt), "prompt_length": len(prompt), "max_new": new, "min_new": new, "repetition_penalty": 1.0, "stop_tokens": [0],
        "banned_tokens": [0], "temperature": 0.8, "top_k": 50, "top_p": 0.9, "seed": seed,
    }  # fmt: skip


def register(registry: Registry, training: Path, tokenizer: Path, note: str) -> int:
    """Register a version of the toy model as a candidate and return its number."""
    version = registry.register(
        {"model": training / "model", "tokenizer": tokenizer}, metrics={"perplexity": 41.0}, lineage={"note": note}, decision={},
        stage=Stage.CANDIDATE, who="test", why="a toy", identity=note,
    )  # fmt: skip
    return version.number


def eventually(holds: Callable[[], object], seconds: float = 60) -> None:
    """Wait until a condition of a running server holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def arguments(config: Path, *more: str) -> list[str]:
    """Return the command line of a server with XLA that reads changes of its configuration file."""
    return [f"--model_config_file={config}", "--model_config_file_poll_wait_seconds=0.2", "--xla_cpu_compilation_enabled=true", *more]


def make_registry(folder: Path, training: Path, tokenizer: Path) -> Registry:
    """Return a registry with version 1 as champion and version 2 as candidate."""
    registry = Registry(folder, "shakespeare")
    for note in ("one", "two"):
        register(registry, training, tokenizer, note)
    registry.promote(1, who="test", why="the first")
    return registry


def labelled(registry: Registry, folder: Path, *, xla: bool = True) -> Path:
    """Return the configuration file of version 1 with the label `stable`, as after the first looks of `serving.model_sync`."""
    path = lay_out(registry, folder, xla=xla)
    config_file.write(folder / registry.model, Config(frozenset({1}), {"stable": 1}))
    return path


@pytest.fixture
def registry(toy_training: Path, toy_tokenizer: Path, tmp_path: Path) -> Registry:
    return make_registry(tmp_path / "registry", toy_training, toy_tokenizer)


@pytest.fixture
def config(registry: Registry, tmp_path: Path) -> Path:
    return labelled(registry, tmp_path / "models")


@pytest.fixture
def plain_config(registry: Registry, tmp_path: Path) -> Path:
    """The configuration for a server without XLA: its warm-up requests are those of the plain signatures."""
    return labelled(registry, tmp_path / "plain", xla=False)


@pytest.fixture(scope="session")
def shared_server(toy_training: Path, toy_tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with version 1 for tests that change nothing, because a start takes seconds."""
    folder = tmp_path_factory.mktemp("shared-server")
    config = labelled(make_registry(folder / "registry", toy_training, toy_tokenizer), folder / "models")
    server = Server(folder, *arguments(config))
    yield server
    assert server.end() == 0


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers, and stop those that a test leaves running."""
    servers: list[Server] = []

    def begin(*arguments: str) -> Server:
        servers.append(Server(tmp_path, *arguments))
        return servers[-1]

    yield begin
    for server in servers:
        if server.process.poll() is None:
            server.end()
