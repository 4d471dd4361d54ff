"""Tests of idle connections, slow headers, invalid HTTP and the limit on connections."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from starlette.types import Receive, Scope, Send

from serving.gateway.connection.protocol import LINGER_SECONDS, PIPELINED, ConnectionLimits
from serving.gateway.connection.table import ConnectionTable
from tests.serving.gateway.running import listening, wait_until

LIMITS = ConnectionLimits(header_seconds=0.5, header_bytes=4096, idle_seconds=2, send_seconds=0.5, request_seconds=3, body_bytes=1024)
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def address() -> Iterator[str]:
    with listening(app, lifespan="off", limits=LIMITS, table=ConnectionTable(100, 100)) as address:
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
        assert rest(silent) == b"" and time.monotonic() - start < 20


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


HEAD = b"Host: x\r\n"
CHUNKED = b"POST / HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HEAD + HEAD + b"\r\n", 400),
        (b"POST / HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400),
        (b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: +1\r\n\r\na", 400),
        (b"POST / HTTP/1.1\r\n" + HEAD + b"Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 1\r\n\r\na", 400),
        (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HEAD + b"X: a\r\n b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: x\n\n", 400),
        (b"GET / HTTP/1.1\r\n" + HEAD + b"X: a\x00b\r\n\r\n", 400),
        (CHUNKED + b"fffffffffffffffff\r\na\r\n0\r\n\r\n", 400),
        (CHUNKED + b"1\na\n0\n\n", 400),
        (b"CONNECT a:1 HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET / HTTP/1.1\r\n" + HEAD + b"a: b\r\n" * 100 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + HEAD + b"a: " + b"b" * 5000 + b"\r\n\r\n", 431),
        (b"GET /" + b"a" * 5000, 431),
        (CHUNKED + b"1;" + b"a" * 100_000, 413),
    ],
)  # fmt: skip
def test_what_is_not_clear_is_refused_and_the_connection_closed(address: str, request_bytes: bytes, status: int) -> None:
    with connect(address) as connection:
        connection.sendall(request_bytes)
        answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 %d " % status) and answer.count(b"HTTP/1.1 ") == 1 + answer.count(b"supports HTTP/1.1")
    assert error(answer)["message"] and b"Connection: close" in answer


def test_an_upgrade_is_ignored(address: str) -> None:
    with connect(address) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + HEAD + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET / HTTP/1.1\r\n\r\n")
        answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 200 ") and answer.count(b"HTTP/1.1 ") == 1


def test_trailers_are_no_headers() -> None:
    seen: list[bytes] = []

    async def looking(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)
        seen.extend(name for name, _ in scope["headers"])

    with listening(looking, lifespan="off") as address, connect(address) as connection:
        connection.sendall(CHUNKED + b"1\r\na\r\n0\r\nX-API-Key: k\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert seen == [b"host", b"transfer-encoding"]


def test_few_requests_may_wait_and_the_rest_is_not_read(address: str) -> None:
    with connect(address) as connection:
        connection.sendall(REQUEST * 3)
        connection.sendall(b"rubbish\r\n\r\n")
        assert rest(connection).count(b"HTTP/1.1 200 ") == 3  # and no bytes of an error among them
    with connect(address) as connection:
        connection.sendall(REQUEST * 900)
        assert rest(connection).count(b"HTTP/1.1 200 ") == 1 + PIPELINED


def test_a_broken_request_behind_another_is_not_answered_inside_its_answer(address: str) -> None:
    with connect(address) as connection:
        connection.sendall(REQUEST + CHUNKED + b"zz\r\n")
        answer = rest(connection)
    assert answer.endswith(b"ok") and answer.count(b"HTTP/1.1 ") == 1


async def slow(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without reading the body, or with 4 MB at /long."""
    body = b"a" * (4_000_000 if scope["path"] == "/long" else 2)
    await send({"type": "http.response.start", "status": 405, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@pytest.mark.parametrize("later", [b"", b"a"])
def test_a_refused_client_that_goes_on_sending_is_cut_off(later: bytes) -> None:
    """uvicorn alone keeps such a connection for ever."""
    table, refused = ConnectionTable(10, 10), list[str]()
    with listening(slow, "off", LIMITS, table, refused=refused.append) as address, connect(address) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: 1000\r\n\r\n")
        start = time.monotonic()
        assert b"405" in connection.recv(65536)
        with contextlib.suppress(OSError):
            while len(table) and time.monotonic() < start + 30:
                connection.sendall(later)
                time.sleep(0.05)
        assert not len(table) and time.monotonic() - start < LINGER_SECONDS + 20


@pytest.mark.parametrize("count", [1, 4])
def test_a_client_that_does_not_read_is_cut_off(count: int) -> None:
    table, refused = ConnectionTable(10, 10), list[str]()
    with listening(slow, "off", LIMITS, table, refused=refused.append) as address, connect(address) as connection:
        connection.sendall(REQUEST.replace(b"/ ", b"/long ") * count)
        assert wait_until(lambda: len(table) == 1) and wait_until(lambda: len(table) == 0, 5)
        assert refused == ["unread_answer"]


def test_a_request_without_an_answer_ends(address: str) -> None:
    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    with listening(never, "off", LIMITS) as silent, connect(silent) as connection:
        start = time.monotonic()
        connection.sendall(REQUEST)
        with contextlib.suppress(ConnectionResetError):
            assert rest(connection) == b""
        assert time.monotonic() - start < LIMITS.request_seconds + 20


def test_an_idle_connection_is_closed_after_an_answer(address: str) -> None:
    with connect(address) as connection:
        ask(connection)
        connection.sendall(b"\r\n")  # a byte that begins no request does not prolong the time
        start = time.monotonic()
        assert rest(connection) == b"" and time.monotonic() - start < LIMITS.idle_seconds + 20
