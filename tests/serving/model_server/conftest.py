"""A server as a process, with versions of the toy model."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from robo_poet.registry.registry import Registry
from robo_poet.registry.state import Stage


class Server:
    """`python -m serving.model_server` until it is ended.

    Attributes:
        http, grpc: where it listens.
    """

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._log = (folder / "server.log").open("w+")
        command = [sys.executable, "-m", "serving.model_server", "--port=0", "--rest_api_port=0", *arguments]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self._log, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
        )
        watchdog = threading.Timer(120, self.process.kill)
        watchdog.start()
        assert self.process.stdout is not None
        words = self.process.stdout.readline().split()
        watchdog.cancel()
        assert words[:2] == ["model_server:", "ready"], self.said()
        self.http, self.grpc = f"http://{words[3]}", words[5]

    def said(self) -> str:
        """Its log."""
        self._log.seek(0)
        return self._log.read()

    def end(self) -> int:
        """SIGTERM, as an orchestrator ends it; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()
        return status

    def call(self, path: str, **given: Any) -> httpx.Response:
        """POST with a body, GET without."""
        if given:
            return httpx.post(f"{self.http}{path}", content=json.dumps(given), timeout=60)
        return httpx.get(f"{self.http}{path}", timeout=60)


def completion(seed: int = 1, new: int = 8, prompt: tuple[int, ...] = (2, 50, 60, 70)) -> dict[str, Any]:
    """An instance of `generate`."""
    return {
        "prompt": list(prompt), "prompt_length": len(prompt), "max_new": new, "min_new": new, "repetition_penalty": 1.0, "stop_tokens": [0],
        "banned_tokens": [0], "temperature": 0.8, "top_k": 50, "top_p": 0.9, "seed": seed,
    }  # fmt: skip


def register(registry: Registry, training: Path, tokenizer: Path, note: str) -> int:
    """A version of the toy model, a candidate."""
    version = registry.register(
        {"model": training / "model", "tokenizer": tokenizer}, metrics={"perplexity": 41.0}, lineage={"note": note}, decision={},
        stage=Stage.CANDIDATE, who="test", why="a toy", identity=note,
    )  # fmt: skip
    return version.number


@pytest.fixture
def registry(toy_training: Path, toy_tokenizer: Path, tmp_path: Path) -> Registry:
    """Version 1 is champion, 2 a candidate."""
    found = Registry(tmp_path / "registry")
    for note in ("one", "two"):
        register(found, toy_training, toy_tokenizer, note)
    found.promote(1, who="test", why="the first")
    return found


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers, and ends those that a test leaves."""
    servers: list[Server] = []

    def begin(*arguments: str) -> Server:
        servers.append(Server(tmp_path, *arguments))
        return servers[-1]

    yield begin
    for server in servers:
        if server.process.poll() is None:
            server.end()
