"""Tests of accepting connections: TLS handshakes that never end, connections that give way, and a stop under load."""

import contextlib
import errno
import socket
import ssl
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from serving.gateway.connection.protocol import ConnectionLimits
from serving.gateway.connection.table import ConnectionTable
from tests.serving.gateway.connection.test_protocol import REQUEST, app, ask, connect, error, rest
from tests.serving.gateway.running import listening, wait_until
from tests.serving.gateway.test_main import certificate


def test_the_oldest_connection_gives_way() -> None:
    table = ConnectionTable(3, 3)
    with listening(app, "off", table=table) as address, contextlib.ExitStack() as opened:
        silent = [opened.enter_context(connect(address)) for _ in range(5)]
        assert wait_until(lambda: table.counts["gave_way"] == 2)
        for connection in silent[:2]:
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b""
        ask(silent[4])
        assert len(table) == 3


def test_a_connection_is_refused_if_none_gives_way() -> None:
    table, refused = ConnectionTable(1, 1), list[str]()
    place = table.enter("192.0.2.1")
    table.prove(place)
    with listening(app, "off", table=table, refused=refused.append) as address:
        with connect(address) as connection:
            answer = rest(connection)
        assert answer.startswith(b"HTTP/1.1 503 ") and b"Retry-After: 1" in answer and error(answer)["code"] == "overloaded"
        assert refused == ["overloaded"]
        table.leave(place)
        with connect(address) as connection:
            ask(connection)


def test_a_tls_handshake_that_never_ends_is_ended(tmp_path: Path) -> None:
    """uvicorn alone waits 60 s, and does not count such connections."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate(tmp_path))
    table = ConnectionTable(2, 2)
    with listening(app, "off", ConnectionLimits(header_seconds=0.5), table, context) as address, contextlib.ExitStack() as opened:
        begun = time.monotonic()
        silent = [opened.enter_context(connect(address)) for _ in range(3)]
        assert wait_until(lambda: table.counts["gave_way"] == 1)
        silent[2].sendall(b"\x16\x03\x01")
        for connection in silent:
            with contextlib.suppress(ConnectionResetError):
                assert rest(connection) == b""
        assert time.monotonic() - begun < 20 and wait_until(lambda: len(table) == 0)
        trusting = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        with trusting.wrap_socket(connect(address), server_hostname="127.0.0.1") as connection:
            ask(connection)


def test_no_accepted_connection_is_reset_by_a_stop() -> None:
    """Clients open a connection for each request while the listener stops. Each gets its answer, or is not accepted at all."""
    outcomes: list[str] = []
    stopped = threading.Event()

    def client(address: str) -> None:
        parts = urlsplit(address)
        while not stopped.is_set():
            try:
                connection = socket.create_connection((str(parts.hostname), parts.port or 0), timeout=10)
            except OSError as error:
                outcomes.append(errno.errorcode.get(error.errno or 0, "timeout"))
                return
            with connection:
                try:
                    connection.sendall(REQUEST)
                    outcomes.append("answered" if connection.recv(65536).startswith(b"HTTP/1.1 200 ") else "closed")
                except OSError as error:
                    outcomes.append(errno.errorcode.get(error.errno or 0, "timeout"))

    threads = []
    with listening(app, "off") as address:
        for _ in range(16):
            threads.append(threading.Thread(target=client, args=(address,)))
            threads[-1].start()
        time.sleep(0.5)
    stopped.set()
    for thread in threads:
        thread.join(20)
    assert outcomes.count("answered") > 100 and set(outcomes) <= {"answered", "ECONNREFUSED"}, {o: outcomes.count(o) for o in set(outcomes)}


def test_a_kept_connection_may_send_a_last_request_during_a_stop() -> None:
    with contextlib.ExitStack() as opened:
        with listening(app, "off") as address:
            connections = [opened.enter_context(connect(address)) for _ in range(8)]
            for connection in connections:
                ask(connection)
            timer = threading.Timer(0.3, lambda: [connection.sendall(REQUEST) for connection in connections[:4]])
            timer.start()
        answers = [rest(connection) for connection in connections]
    assert all(answer.startswith(b"HTTP/1.1 200 ") and b"connection: close" in answer for answer in answers[:4])
    assert answers[4:] == [b""] * 4
