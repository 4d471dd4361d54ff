"""Tests of idle connections, slow headers, invalid HTTP and the limit on connections."""

import json
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from tests.serving.gateway.running import listening

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def address() -> Iterator[str]:
    with listening(app, lifespan="off", header_seconds=0.5, max_connections=3) as address:
        yield address


def connect(address: str) -> socket.socket:
    parts = urlsplit(address)
    assert parts.hostname and parts.port
    return socket.create_connection((parts.hostname, parts.port), timeout=10)


def ask(connection: socket.socket) -> None:
    connection.sendall(REQUEST)
    data = b""
    while not data.endswith(b"ok"):
        part = connection.recv(65536)
        assert part
        data += part


def rest(connection: socket.socket) -> bytes:
    """Return all bytes until the server closes the connection."""
    data = b""
    while part := connection.recv(65536):
        data += part
    return data


def error(answer: bytes) -> dict[str, str]:
    fields: dict[str, str] = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
    return fields


def test_an_idle_connection_is_closed(address: str) -> None:
    start = time.monotonic()
    with connect(address) as silent:
        assert rest(silent) == b"" and 0.4 < time.monotonic() - start < 5


@pytest.mark.parametrize("first", [False, True])
def test_incomplete_headers_are_a_408_error(address: str, first: bool) -> None:
    with connect(address) as slow:
        if first:  # also for the second request on a kept connection
            ask(slow)
        slow.sendall(b"GET / HTTP/1.1\r\nHo")
        answer = rest(slow)
    assert answer.startswith(b"HTTP/1.1 408 ") and error(answer)["code"] == "slow_headers"


def test_a_kept_connection_may_be_idle_between_requests(address: str) -> None:
    with connect(address) as kept:
        for _ in range(2):
            ask(kept)
            time.sleep(0.8)


def test_invalid_http_is_a_400_error_in_the_json_form(address: str) -> None:
    for nonsense in (b"nonsense\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999999\r\n\r\n"):
        with connect(address) as connection:
            connection.sendall(nonsense)
            answer = rest(connection)
        assert answer.startswith(b"HTTP/1.1 400 ") and error(answer)["code"] == "bad_request" and b"X-Request-ID: " in answer


def test_a_connection_above_the_limit_is_a_503_error(address: str) -> None:
    open_ = [connect(address) for _ in range(3)]
    for connection in open_:
        ask(connection)
    with connect(address) as fourth:
        answer = rest(fourth)
    assert answer.startswith(b"HTTP/1.1 503 ") and b"Retry-After: 1" in answer and error(answer)["code"] == "overloaded"
    open_[0].close()
    time.sleep(0.1)
    assert httpx.get(address).text == "ok"
    for connection in open_:
        connection.close()
