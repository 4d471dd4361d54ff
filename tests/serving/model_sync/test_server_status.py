"""The client of the status API, against a simulated server over HTTP. test_main.py asks the embedded model server."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from serving.model_server.tls import read_tls
from serving.model_sync import server_status
from serving.model_sync.plan import Config, Loaded
from serving.model_sync.server_status import ServerStatus
from tests.certificates import Authority, ssl_config, written
from tests.serving.model_sync.simulated_server import SimulatedServer, over_http

AUTHORITY = Authority()


def test_the_states_the_errors_and_the_label_are_read() -> None:
    server = SimulatedServer()
    with over_http(server, "poems") as address:
        status = ServerStatus(address, "poems")
        assert status.ask(stable=True) == Loaded({})  # the server knows no version
        server.broken = {2}
        server.start(Config(frozenset({1, 2})))
        assert status.ask(stable=True) == Loaded({1: "LOADING", 2: "LOADING"}, {2: "no such op"})
        server.work()
        server.read(Config(frozenset({1, 2}), {"stable": 1}))
        assert status.ask(stable=True) == Loaded({1: "AVAILABLE", 2: "END"}, {2: "no such op"}, 1)
        assert status.ask(stable=False) == Loaded({1: "AVAILABLE", 2: "END"}, {2: "no such op"})
    assert status.ask(stable=True) is None


def test_an_https_server_needs_a_certificate_of_the_authority_and_may_want_one_of_ours(tmp_path: Path) -> None:
    certificate, key = AUTHORITY.issue("127.0.0.1")
    tls = read_tls(ssl_config(tmp_path / "ssl.config", certificate, key, AUTHORITY.certificate)).context
    ca = Path(written(tmp_path, "ca.pem", AUTHORITY.certificate))
    other = Path(written(tmp_path, "other.pem", Authority("other").certificate))
    certificate, key = AUTHORITY.issue("sync")
    own = Path(written(tmp_path, "own.pem", certificate)), Path(written(tmp_path, "own.key", key))
    with over_http(SimulatedServer(), "poems", tls) as address:
        assert ServerStatus(address, "poems", ca, own).ask(stable=False) == Loaded({})
        assert ServerStatus(address, "poems", other, own).ask(stable=False) is None
        assert ServerStatus(address, "poems", ca).ask(stable=False) is None


@contextlib.contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Send these bytes to each client. Yield the address."""

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                with client:
                    client.recv(4096)
                    client.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize(
    "body",
    [b"", b"no", b"[]", b"{}", b'{"model_version_status": [{}]}', b'{"model_version_status": [{"version": "x", "state": ""}]}', b"[" * 100_000, b"\xff"],
)  # fmt: skip
def test_a_server_of_another_kind_counts_as_no_answer(body: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with answering(head + body) as address:
        assert ServerStatus(address, "poems").ask(stable=False) is None


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"],
)
def test_a_failed_call_counts_as_no_answer(answer: bytes) -> None:
    with answering(answer) as address:
        assert ServerStatus(address, "poems").ask(stable=False) is None


def test_a_silent_server_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_status, "SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert ServerStatus(f"http://127.0.0.1:{listener.getsockname()[1]}", "poems").ask(stable=False) is None


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("127.0.0.1:8501", "not an address of a model server"),
        ("ftp://127.0.0.1", "not an address"),
        ("http://127.0.0.1:port", "not an address"),
        ("http://127.0.0.1/v1", "not an address"),
        ("http://user@127.0.0.1", "not an address"),
        ("http://model-server:8501", "the status of another machine needs https"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_line(address: str, problem: str) -> None:
    with pytest.raises(BadInput, match=problem) as error:
        ServerStatus(address, "poems")
    assert str(error.value).startswith(f"{address}: ")


def test_a_missing_certificate_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be loaded"):
        ServerStatus("https://127.0.0.1:8501", "poems", tmp_path / "ca.pem")
    with pytest.raises(BadInput, match="cannot be loaded"):
        ServerStatus("https://127.0.0.1:8501", "poems", None, (tmp_path / "cert.pem", tmp_path / "key.pem"))
