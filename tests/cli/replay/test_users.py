"""Users ask at their rate, name themselves, and count what failed. They stop by themselves."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from cli.replay.users import Users


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """A server that fails each second request. Yields its address and the users that asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.headers["X-End-User"])
            self.send_response(200 if len(asked) % 2 else 503)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{running.server_address[1]}", asked
    running.shutdown()
    running.server_close()
    thread.join()


def test_answers_and_failures_are_counted(server: tuple[str, list[str]]) -> None:
    address, asked = server
    users = Users(address, "a key", ["a prompt"])
    enough = threading.Event()
    with users.asking(20):
        while users.asked < 6:
            enough.wait(0.05)
    assert users.asked == len(asked) and users.failed == users.asked // 2 and users.error is None
    assert len(set(asked)) > 1 and all(user.startswith("reader-") for user in asked)


def test_an_unreachable_server_is_a_failure_of_each_request() -> None:
    users = Users("http://127.0.0.1:9", "a key", ["a prompt"])
    with users.asking(20):
        while users.asked < 2:
            threading.Event().wait(0.05)
    assert users.failed == users.asked
