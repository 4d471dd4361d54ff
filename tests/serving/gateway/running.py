"""Helpers that run a gateway on a free port, in a thread of the test's process."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp

from robo_poet.settings.serve import ServeSettings
from serving.access.api_keys import KeyStore
from serving.gateway.app import make_app
from serving.gateway.assemble import Parts, assemble
from serving.gateway.http.connection import LimitedConnection

ALL = ("generate", "feedback", "metrics", "internal-load")


@contextmanager
def listening(app: ASGIApp, lifespan: str = "on", header_seconds: float = 10, max_connections: int = 1000) -> Iterator[str]:
    """Serve `app` with uvicorn and `LimitedConnection`. Yield its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, http=partial(LimitedConnection, header_seconds=header_seconds, max_connections=max_connections), log_config=None, access_log=False, proxy_headers=False,  # type: ignore[arg-type]
        lifespan=lifespan, timeout_graceful_shutdown=2,  # type: ignore[arg-type]
    )  # fmt: skip
    server = uvicorn.Server(config)
    started = threading.Event()
    failed: list[BaseException] = []

    async def serve() -> None:
        serving = asyncio.create_task(server._serve([listener]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.005)
        started.set()
        await serving

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            failed.append(error)
            started.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert started.wait(60)
    if failed:
        raise failed[0]
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Wait until the condition holds. Return False if it does not hold within `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class Gateway:
    """A running gateway, and an HTTP client with a key for all scopes."""

    def __init__(self, address: str, parts: Parts, key: str) -> None:
        self.address, self.parts = address, parts
        self.keys = KeyStore(Path(parts.settings.folder) / "keys")
        self.http = httpx.Client(base_url=address, headers={"X-API-Key": key}, timeout=30, trust_env=False)

    def key(self, user: str, scopes: tuple[str, ...] = ALL) -> str:
        """Create a key. The gateway accepts it within `look_seconds`."""
        return self.keys.create(user=user, scopes=scopes, days=1).text

    def generate(self, **parameters: Any) -> httpx.Response:
        """Send POST /v1/generate. `text` has a default."""
        return self.http.post("/v1/generate", json={"text": "the rose sleeps upon", **parameters})


@contextmanager
def running(settings: ServeSettings, **parts: Any) -> Iterator[Gateway]:
    """Run a gateway with these settings. `parts` replace the parts built from the settings."""
    first = KeyStore(Path(settings.folder) / "keys").create(user="ada", scopes=ALL, days=1)
    all_parts = replace(assemble(settings), **parts)
    with listening(make_app(all_parts)) as address:
        gateway = Gateway(address, all_parts, first.text)
        try:
            yield gateway
        finally:
            gateway.http.close()
