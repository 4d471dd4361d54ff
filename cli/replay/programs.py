"""The programs of a replay, as processes with a log file each: our commands, Prometheus, and Alertmanager. All end with the replay."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from cli.replay.monitoring_config import write_alertmanager, write_prometheus
from robo_poet.errors import BadInput
from robo_poet.process import adopt_orphans, children, dies_with_parent
from serving.access.api_keys import KeyStore

NEEDED = {"prometheus": "prometheus", "prometheus-alertmanager": "prometheus-alertmanager"}  # program → package of Debian and Ubuntu
READY_SECONDS, END_SECONDS = 120.0, 30.0
POLL_SECONDS = 0.1
SCRAPE = "500ms"  # with 250 ms, scrapes timed out beside a training, and alerts about missing programs fired
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # this machine is never reached through a proxy
KEY_SECONDS = 1.5  # a running gateway looks for new keys each second
APPLICATION = "replay"  # user of the key
SERVED = re.compile(r"(http://127\.0\.0\.1:\d+)/#key=.*^  metrics: ([^\n]*)\n", re.DOTALL | re.MULTILINE)  # the output of `serve`
METRICS = re.compile(r"(\w+) http://127\.0\.0\.1:(\d+)/")


class Broken(Exception):
    """A program of the replay did not start, or has ended."""


def check_installed() -> None:
    """Raise BadInput if Prometheus or Alertmanager is not installed."""
    missing = [package for program, package in NEEDED.items() if shutil.which(program) is None]
    if missing:
        raise BadInput(
            f"the replay runs the real {' and '.join(missing)}, and {'it is' if len(missing) == 1 else 'they are'} not installed",
            remedy=f"on Debian or Ubuntu: apt-get install {' '.join(missing)}",
        )


def free_port() -> int:
    """Return a free port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@dataclass(frozen=True)
class Delivered:
    """A message of Alertmanager that reached people: time in seconds since 1970, and title."""

    time: float
    title: str


class Programs:
    """Starts programs in a folder. Use it in a `with` statement: its end stops all of them, the last one first.

    Attributes:
        delivered: messages of Alertmanager so far.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.logs = folder, folder / "logs"
        self.delivered: list[Delivered] = []
        self._running, self._at_end = dict[str, subprocess.Popen[bytes]](), ExitStack()
        self._children = set[int]()

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        adopt_orphans()
        self._children = set(children())
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._at_end.close()
            self._end_orphans()
        finally:
            adopt_orphans(False)

    def _end_orphans(self) -> None:
        """End what the programs have started and left, such as the training run of the trigger, which outlives it."""
        kill_at = time.monotonic() + END_SECONDS
        while orphans := set(children()) - self._children:
            for orphan in orphans:
                with suppress(ProcessLookupError, ChildProcessError):
                    os.kill(orphan, signal.SIGTERM if time.monotonic() < kill_at else signal.SIGKILL)
                    os.waitpid(orphan, os.WNOHANG)
            time.sleep(POLL_SECONDS)

    def start(self, name: str, *words: str) -> "subprocess.Popen[bytes]":
        """Start a program; its output goes to `logs/<name>.log`."""
        with (self.logs / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                words, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGTERM),
            )  # fmt: skip
        self._running[name] = process
        self._at_end.callback(self._end, name)
        return process

    def robo_poet(self, name: str, *words: str) -> "subprocess.Popen[bytes]":
        """Start one of our commands."""
        return self.start(name, sys.executable, "-m", "cli", *words)

    def wait_ready(self, name: str, ready: Callable[[], Any]) -> Any:
        """Wait until `ready` returns a true value, and return it. Raises Broken if the program ends before, or is too slow."""
        end = time.monotonic() + READY_SECONDS
        while not (value := ready()):
            if self._running[name].poll() is not None or time.monotonic() > end:
                raise Broken(f"{name} did not start: {self.last_line(name)}")
            time.sleep(POLL_SECONDS)
        return value

    def check(self) -> None:
        """Raise Broken if a program has failed."""
        for name, process in self._running.items():
            if process.poll() not in (None, 0):
                raise Broken(f"{name} ended with status {process.returncode}: {self.last_line(name)}")

    def output(self, name: str) -> str:
        """Return what a program has printed so far."""
        return (self.logs / f"{name}.log").read_text("utf-8", "replace")

    def last_line(self, name: str) -> str:
        """Return the last line that a program has printed."""
        return next((line for line in reversed(self.output(name).splitlines()) if line.strip()), "no output").strip()

    def _end(self, name: str) -> None:
        process = self._running.pop(name)
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def serve(self, options: list[str]) -> tuple[str, dict[str, int]]:
        """Start the service. Return its address, and the port of the metrics of each of its programs by name."""
        self.robo_poet("serve", "serve", "--port", "0", *options)
        match = self.wait_ready("serve", lambda: SERVED.search(self.output("serve")))
        return str(match[1]), {name: int(port) for name, port in METRICS.findall(match[2])}

    def new_key(self) -> str:
        """Return a new key of the application, which may name its end users."""
        key = KeyStore(self.folder / ".serve" / "keys").create(APPLICATION, ("generate", "end-users"), 1).text
        time.sleep(KEY_SECONDS)
        return key

    def watch(self, options: list[str], model_server: int) -> int:
        """Start the drift watcher, which scores held-out text on a port of the model server. Return the port of its metrics."""
        port = free_port()
        settings = (f"monitoring.port={port}", f"serve.model_server=http://127.0.0.1:{model_server}")
        self.robo_poet("drift-watch", "drift", "watch", *options, *(word for setting in settings for word in ("--set", setting)))
        self.wait_ready("drift-watch", lambda: "drift: ready" in self.output("drift-watch"))
        return port

    def listen(self, options: list[str]) -> int:
        """Start the trigger of the retraining. Return its port."""
        port = free_port()
        self.robo_poet("retrain-listen", "retrain", "listen", *options, "--set", f"monitoring.retraining.port={port}")
        self.wait_ready("retrain-listen", lambda: "retrain: ready" in self.output("retrain-listen"))
        return port

    def alertmanager(self, factor: float, trigger: int) -> int:
        """Start Alertmanager with our routes; messages for Slack come to this process. Return its port."""
        folder = self.folder / "alertmanager"
        folder.mkdir(exist_ok=True)
        slack = self._at_end.enter_context(_slack(self.delivered))
        token = (self.folder / ".serve" / "retraining" / "token").read_text()
        secrets = {"retraining-token": token, "slack-url": f"http://127.0.0.1:{slack}/slack"}
        config = write_alertmanager(folder, factor, secrets, trigger=trigger)
        words = [f"--config.file={config}", f"--storage.path={folder}/state", "--cluster.listen-address=", "--log.level=warn"]
        return self._prometheus_program("alertmanager", "prometheus-alertmanager", words)

    def prometheus(self, factor: float, targets: Mapping[str, int]) -> "Prometheus":
        """Start Prometheus with our rules. `targets`: see `write_prometheus`."""
        folder = self.folder / "prometheus"
        folder.mkdir(exist_ok=True)
        config = write_prometheus(folder, factor, targets, scrape=SCRAPE)
        words = [f"--config.file={config}", f"--storage.tsdb.path={folder}/data", "--log.level=warn"]
        return Prometheus(f"http://127.0.0.1:{self._prometheus_program('prometheus', 'prometheus', words)}")

    def _prometheus_program(self, name: str, program: str, words: list[str]) -> int:
        port = free_port()
        self.start(name, program, *words, f"--web.listen-address=127.0.0.1:{port}")
        self.wait_ready(name, lambda: _get(f"http://127.0.0.1:{port}/-/ready") is not None)
        return port


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus at an address."""

    address: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the samples of an expression now; none if Prometheus does not answer."""
        return self._ask("query", query=expression)

    def up(self) -> set[str]:
        """Return the jobs whose programs answer scrapes."""
        return {series["metric"]["job"] for series in self.query("up == 1")}

    def over_time(self, expression: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """Return the series of an expression between two times in seconds since 1970, with a value each `step` seconds."""
        return self._ask("query_range", query=expression, start=start, end=end, step=step)

    def _ask(self, what: str, **arguments: object) -> list[dict[str, Any]]:
        answer = _get(f"{self.address}/api/v1/{what}?{urllib.parse.urlencode(arguments)}")
        return json.loads(answer)["data"]["result"] if answer else []


def _get(url: str) -> bytes | None:
    try:
        with DIRECT.open(url, timeout=10) as answer:
            return bytes(answer.read())
    except (OSError, HTTPException):
        return None


@contextmanager
def _slack(delivered: list[Delivered]) -> Iterator[int]:
    """Take messages as Slack would, and append them. Yield the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(min(int(self.headers["Content-Length"]), 1_000_000))
            with suppress(ValueError, KeyError, IndexError):
                delivered.append(Delivered(time.time(), json.loads(body)["attachments"][0]["title"].strip()))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), name="slack")
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
