"""The emulator of Google Cloud Storage behind a proxy that counts requests, loses an answer, or refuses access."""

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest


class Proxy(ThreadingHTTPServer):
    """Forwards requests to the emulator.

    Attributes:
        requests: `METHOD path` of each request.
        lose: do not answer this many further uploads, although the emulator has done them.
        status: answer each request with this HTTP status instead; 0 to forward it.
    """

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), Forward)
        self.target = urlsplit(target)
        self.requests: list[str] = []
        self.lose = self.status = 0

    def handle_error(self, *_: Any) -> None:
        pass  # a client that was stopped

    @property
    def kinds(self) -> list[str]:
        """Of each request: list, read, write or remove."""
        return [
            "write" if line.startswith("POST") else "remove" if line.startswith("DELETE") else "read" if "/download/" in line else "list"
            for line in self.requests
        ]


class Forward(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def log_message(self, *_: Any) -> None:
        pass

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append(f"{self.command} {self.path}")
        if self.server.status:
            self.answer(self.server.status, [], b'{"error": {"message": "no"}}')
            return
        connection = http.client.HTTPConnection(self.server.target.hostname or "", self.server.target.port, timeout=20)
        try:
            connection.request(self.command, self.path, body, {k: v for k, v in self.headers.items() if k.lower() != "host"})
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if self.command == "POST" and self.server.lose:
            self.server.lose -= 1
            self.close_connection = True
            return
        kept = [
            (name, value)
            for name, value in response.getheaders()
            if name.lower() not in ("content-length", "transfer-encoding", "connection")
        ]
        self.answer(response.status, kept, content)

    def answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(content)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = forward


@pytest.fixture
def proxy(gcs: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The proxy; STORAGE_EMULATOR_HOST points to it."""
    server = Proxy(gcs._connection.API_BASE_URL)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_address[1]}")
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def bucket(gcs: Any) -> str:
    gcs.create_bucket("poets")
    return "gs://poets"


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBO_POET_CACHE", str(tmp_path_factory.mktemp("cache")))
