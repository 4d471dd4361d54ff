"""Attacks on the framing of requests: trailers, smuggling, headers without end. Each was seen to work on an earlier gateway."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from robo_poet.registry.registry import Registry
from robo_poet.settings.serve import ServeSettings
from tests.security.raw import connect, exchange, received, split
from tests.serving.gateway.conftest import QUIET
from tests.serving.gateway.running import Gateway, running
from tests.serving.gateway.stand_in_model_server import StandInModelServer

BODY = json.dumps({"text": "the rose sleeps upon", "max_length": 4}).encode()
HEAD = b"POST /v1/generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def chunked(key: bytes, trailers: bytes) -> bytes:
    return HEAD + key + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n%x\r\n%b\r\n0\r\n%b\r\n" % (len(BODY), BODY, trailers)


def test_a_key_in_a_trailer_does_not_authenticate(staged: Gateway) -> None:
    key = f"X-API-Key: {staged.http.headers['x-api-key']}\r\n".encode()
    for trailers in (key, key.replace(b"X-API-Key: ", b"Authorization: Bearer ")):
        assert [response.status for response in exchange(staged, chunked(b"", trailers))] == [401]
    assert [response.status for response in exchange(staged, chunked(key, b""))] == [200]


@pytest.fixture
def behind_proxy(registry: Registry, server: StandInModelServer, tmp_path: Path) -> Iterator[Gateway]:
    settings = {
        **QUIET, "model_server": server.address, "registry": str(registry.root), "folder": str(tmp_path),
        "trusted_proxies": ["127.0.0.0/8"], "access": {"look_seconds": 0.05, "ip_requests_per_minute": 5},
    }  # fmt: skip
    with running(ServeSettings.model_validate(settings)) as gateway:
        yield gateway


def test_an_address_in_a_trailer_does_not_evade_the_rate_limit(behind_proxy: Gateway) -> None:
    key = behind_proxy.key("eve", ("generate",))
    time.sleep(0.1)  # the gateway reads new keys every 0.05 s
    header = f"X-API-Key: {key}\r\nX-Forwarded-For: 203.0.113.9\r\n".encode()
    statuses = [
        exchange(behind_proxy, chunked(header, f"X-Forwarded-For: 192.0.2.{number}\r\n".encode()))[0].status for number in range(12)
    ]  # fmt: skip
    assert statuses == [200] * 5 + [429] * 7


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n",
        b"Content-Length: 4\r\nContent-Length: 40\r\n",
        b"Content-Length: 0x4\r\n",
        b"Content-Length: 4\r\n\tfolded\r\n",
        b"Host: y\r\nContent-Length: 4\r\n",
        b"Content-Length: 4\nX: y\r\n",
    ],
)
def test_no_hidden_second_request_is_answered(staged: Gateway, framing: bytes) -> None:
    hidden = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    responses = exchange(staged, b"POST /v1/feedback HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n0\r\n\r\n" + hidden, seconds=3)
    assert len(responses) == 1 and responses[0].status in (400, 501) and b"openapi" not in responses[0].body.replace(b"/openapi.json", b"")


@pytest.mark.parametrize("field", [b"X: " + b"a" * 1_000_000, b"X: y\r\n" * 100_000, b"X" * 1_000_000 + b": y"])
def test_headers_without_end_are_refused_early(staged: Gateway, field: bytes) -> None:
    """One header of 100 MB once stalled /healthz for 4.4 s."""
    with connect(staged.address) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        sent = 0
        try:
            while sent < 40_000_000:  # the server stops reading long before
                connection.sendall(field)
                sent += len(field)
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            pass
        assert httpx.get(f"{staged.address}/healthz", timeout=20).status_code == 200
        responses = split(received(connection))
    assert sent < 40_000_000 and [response.status for response in responses] in ([431], [])


def test_an_error_ends_pipelined_requests(staged: Gateway) -> None:
    """A flood of pipelined requests costs one refusal for each connection, not five."""
    responses = exchange(staged, (HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)) * 50)
    assert [response.status for response in responses] == [401] and b"connection: close" in responses[0].head.lower()
