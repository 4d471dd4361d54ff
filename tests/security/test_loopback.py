"""Attacks on the privileges of this machine: through a reverse proxy, through DNS rebinding, and with odd Host headers."""

import contextlib
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette

from robo_poet.settings.serve import ServeSettings
from serving.model_server.rest import LocalHosts
from tests.serving.gateway.conftest import QUIET
from tests.serving.gateway.running import Gateway, listening, running


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway without a model: the metrics need none."""
    folder = tmp_path_factory.mktemp("gateway")
    off = {"toxicity": {"prompt": "off", "completion": "off"}}
    settings = ServeSettings(**{
        **QUIET, "registry": str(folder / "registry"), "folder": str(folder / "serve"), "model_server": "http://127.0.0.1:9", "content_filter": off,
    })  # fmt: skip
    with running(settings) as started:
        yield started


def status(address: str, *lines: str, version: str = "1.1", path: str = "/metrics") -> int:
    """Send a GET request with exactly these header lines and return the status."""
    target = urlsplit(address)
    with socket.create_connection((target.hostname, target.port), timeout=10) as connection:
        connection.sendall("\r\n".join([f"GET {path} HTTP/{version}", *lines, "Connection: close", "", ""]).encode())
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                answer += piece
    return int(answer.split(b" ", 2)[1])


def test_metrics_are_for_programs_of_this_machine(gateway: Gateway) -> None:
    port = urlsplit(gateway.address).port
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", "localhost"):
        assert status(gateway.address, f"Host: {host}") == 200
    assert status(gateway.address, "Host: localhost", "User-Agent: Prometheus/2.42", "X-Prometheus-Scrape-Timeout-Seconds: 10") == 200


@pytest.mark.parametrize(
    "lines",
    [
        ("Host: rebound.evil.com",),
        ("Host: rebound.evil.com:8080",),
        ("Host: localhost.evil.com",),
        ("Host: localhost", "Host: evil.com"),
        ("Host: localhost", "Via: 1.1 proxy"),
        ("Host: localhost", "X-Forwarded-For: 127.0.0.1"),
        ("Host: localhost", "X-Forwarded-Proto: https"),
        ("Host: localhost", "FORWARDED: for=127.0.0.1"),
        ("Host: localhost", "X-Real-IP: 127.0.0.1"),
        ("Host: localhost", "CF-Connecting-IP: 203.0.113.7"),
        ("Host: localhost", "True-Client-IP: 203.0.113.7"),
        ("Host: localhost", "X-Vendor-Client: 203.0.113.7"),
        ("Host: localhost", "Origin: http://evil.com"),
        ("Host: localhost", "Sec-Fetch-Site: cross-site"),
    ],
)
def test_a_proxy_or_a_web_page_needs_a_key(gateway: Gateway, lines: tuple[str, ...]) -> None:
    assert status(gateway.address, *lines) in (400, 401)


def test_a_request_of_http_1_0_needs_a_key(gateway: Gateway) -> None:
    """nginx before 1.29.7 sends HTTP/1.0 and a loopback Host by default, and no header that names its client."""
    assert status(gateway.address, "Host: 127.0.0.1", version="1.0") in (400, 401)


def test_a_key_with_the_scope_works_through_a_proxy(gateway: Gateway) -> None:
    key = gateway.http.headers["X-API-Key"]
    assert status(gateway.address, "Host: poems.example.com", "X-Forwarded-For: 203.0.113.7", f"X-API-Key: {key}") == 200


@pytest.fixture(scope="module")
def local_server() -> Iterator[str]:
    with listening(LocalHosts(Starlette()), "off") as address:
        yield address


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1:8501", 404), ("localhost", 404), ("rebound.evil.com:8501", 403), ("", 403)])
def test_a_web_page_cannot_call_the_model_server_by_dns_rebinding(local_server: str, host: str, expected: int) -> None:
    assert status(local_server, f"Host: {host}", path="/v1/models/m") == expected
