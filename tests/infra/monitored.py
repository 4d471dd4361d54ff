"""A real Prometheus and a real Alertmanager with our configuration, at a fraction of its durations, and servers that they talk to."""

import base64
import json
import shutil
import socketserver
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cli.replay.monitoring_config import write_alertmanager, write_prometheus
from cli.replay.programs import free_port

needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not installed")
needs_amtool = pytest.mark.skipif(shutil.which("amtool") is None, reason="amtool (Debian: prometheus-alertmanager) is not installed")
needs_both = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("prometheus-alertmanager")),
    reason="prometheus or prometheus-alertmanager is not installed",
)


@dataclass
class Received:
    """What the receivers of Alertmanager got.

    Attributes:
        webhook: bodies sent to the trigger of the retraining, with the key `authorization`.
        slack: texts sent to Slack.
        mail: subjects of mails, with the password of the login.
        webhook_works: False if the trigger of the retraining answers 500.
    """

    webhook: list[dict[str, Any]] = field(default_factory=list)
    slack: list[str] = field(default_factory=list)
    mail: list[tuple[str, str]] = field(default_factory=list)
    webhook_works: bool = True


@contextmanager
def http_server(get: Callable[[], bytes], post: Callable[[str, dict[str, Any]], None] = lambda *_: None) -> Iterator[int]:
    """Serve `get` for each path, and pass each POST to `post`. Yield the port. If one of them raises ConnectionError, the answer is 500."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                body, status = get(), 200
            except ConnectionError:
                body, status = b"", 500
            self._send(status, body)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                post(self.path, body | {"authorization": self.headers["Authorization"]})
                self._send(200, b"ok")
            except ConnectionError:
                self._send(500, b"")

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with _running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        yield port


@contextmanager
def smtp_server(received: list[tuple[str, str]]) -> Iterator[int]:
    """Accept mails, and append subject and password of each. Yield the port."""

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            password, self.subject = "", ""
            self._say("220 ready")
            for line in self.rfile:
                command, _, rest = line.decode().strip().partition(" ")
                if command == "EHLO":
                    self._say("250-hello\r\n250 AUTH PLAIN")
                elif command == "AUTH":
                    password = base64.b64decode(rest.removeprefix("PLAIN ")).split(b"\0")[2].decode()
                    self._say("235 accepted")
                elif command == "DATA":
                    self._say("354 go on")
                    for text in iter(self.rfile.readline, b".\r\n"):
                        if text.startswith(b"Subject: "):
                            self.subject = text.decode().removeprefix("Subject: ").strip()
                    received.append((self.subject, password))
                    self._say("250 ok")
                elif command == "QUIT":
                    return self._say("221 bye")
                else:
                    self._say("250 ok")
            return None

        def _say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)
    server.daemon_threads = True
    with _running(server) as port:
        yield port


@contextmanager
def _running(server: Any) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def program(command: list[str], port: int, log: Path) -> Iterator[str]:
    """Run a program of Prometheus until its page `/-/ready` answers. Yield its address."""
    address = f"http://127.0.0.1:{port}"
    with log.open("wb") as file:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=file, stderr=file)
        try:
            wait_for(lambda: ask(f"{address}/-/ready") is not None or process.poll() is not None)
            assert process.poll() is None, log.read_text()
            yield address
        finally:
            process.terminate()
            process.wait(20)


def ask(url: str, body: Any = None) -> bytes | None:
    """Return the answer to a GET, or to a POST of `body`; None if the server does not answer with 200."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return bytes(answer.read())
    except OSError:
        return None


def query(prometheus: str, expression: str) -> list[dict[str, Any]] | None:
    """Return the samples of a query now; None if Prometheus refuses the query."""
    answer = ask(f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': expression})}")
    return list(json.loads(answer)["data"]["result"]) if answer else None


def wait_for(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait until the condition is true, and return its value. Fail after `seconds`."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"it did not happen in {seconds:g} s"
        time.sleep(0.05)
    return value


@contextmanager
def alertmanager(folder: Path, factor: float, trigger: tuple[int, str] = (0, "a token")) -> Iterator[tuple[str, Received]]:
    """Run Alertmanager with our configuration; its receivers are servers of this process. Yield its address and what they get.

    Args:
        trigger: port and token of a real trigger of the retraining; port 0: a server of this process.
    """
    received = Received()

    def post(path: str, body: dict[str, Any]) -> None:
        if path == "/alerts":
            if not received.webhook_works:
                raise ConnectionError
            received.webhook.append(body)
        else:
            received.slack.append(body["attachments"][0]["title"] + "\n" + body["attachments"][0]["text"])

    with ExitStack() as running:
        http = running.enter_context(http_server(lambda: b"", post))
        smtp = running.enter_context(smtp_server(received.mail))
        secrets = {"retraining-token": trigger[1], "slack-url": f"http://127.0.0.1:{http}/slack", "smtp-password": "a password"}
        config = write_alertmanager(folder, factor, secrets, trigger=trigger[0] or http, smtp=smtp)
        command = ["prometheus-alertmanager", f"--config.file={config}", f"--storage.path={folder}/state"]
        command += ["--cluster.listen-address=", "--log.level=warn"]
        yield running.enter_context(program(command, free_port(), folder / "alertmanager.log")), received


@contextmanager
def prometheus(folder: Path, factor: float, targets: Mapping[str, int]) -> Iterator[str]:
    """Run Prometheus with our configuration and rules, four scrapes a second. Yield its address.

    Args:
        targets: job → port on this machine.
    """
    config = write_prometheus(folder, factor, targets)
    command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data", "--log.level=warn"]
    with program(command, free_port(), folder / "prometheus.log") as address:
        yield address
