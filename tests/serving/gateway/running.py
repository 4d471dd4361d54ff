"""Helpers that run a gateway on a free port, in a thread of the test's process."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import httpx
import uvicorn
from starlette.types import ASGIApp

from robo_poet.settings.serve import ServeSettings
from serving.access.api_keys import KeyStore
from serving.gateway.app import make_app
from serving.gateway.assemble import Parts, assemble
from serving.gateway.connection.listener import Listener, connection_limits
from serving.gateway.connection.protocol import ConnectionLimits
from serving.gateway.connection.table import ConnectionTable

ALL = ("generate", "feedback", "metrics", "internal-load")


@contextmanager
def listening(
    app: ASGIApp, lifespan: Literal["auto", "on", "off"] = "on", limits: ConnectionLimits | None = None,
    table: ConnectionTable | None = None, tls: ssl.SSLContext | None = None, refused: Callable[[str], None] = lambda _: None,
) -> Iterator[str]:  # fmt: skip
    """Serve `app` with uvicorn and `Listener`. Yield its URL."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    address = f"{'https' if tls else 'http'}://127.0.0.1:{listening.getsockname()[1]}"
    config = uvicorn.Config(
        app, ws="none", log_config=None, access_log=False, proxy_headers=False, lifespan=lifespan, timeout_graceful_shutdown=5
    )
    server = uvicorn.Server(config)
    started, stopping = threading.Event(), threading.Event()
    failed: list[BaseException] = []

    async def serve() -> None:
        serving = asyncio.create_task(server._serve([]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.005)
        listener = Listener(
            server, listening, ConnectionTable(1000, 1000) if table is None else table, limits or ConnectionLimits(), refused, tls
        )
        listener.start()
        started.set()
        while not stopping.is_set():
            await asyncio.sleep(0.02)
        await listener.stop()
        server.should_exit = True
        await serving
        listener.close()

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
        yield address
    finally:
        stopping.set()
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
        self.folder = Path(parts.settings.folder)
        self.keys = KeyStore(self.folder / "keys")
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
    with listening(
        make_app(all_parts), limits=connection_limits(settings), table=all_parts.connections, refused=all_parts.metrics.refused
    ) as address:
        gateway = Gateway(address, all_parts, first.text)
        try:
            yield gateway
        finally:
            gateway.http.close()
