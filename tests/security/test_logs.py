"""Attacks on the logs: a killed gateway, floods of refusals, and values that a client plants in every place it controls."""

import contextlib
import http.client
import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from robo_poet.registry.registry import Registry
from robo_poet.request_log.query import read
from robo_poet.settings.serve import ServeSettings
from serving.access.api_keys import KeyStore
from serving.telemetry.pseudonym import Pseudonyms, read_or_create_key
from tests.serving.gateway.conftest import QUIET
from tests.serving.gateway.running import running, wait_until
from tests.serving.gateway.stand_in_model_server import StandInModelServer

SETTINGS: dict[str, Any] = {
    **QUIET, "content_filter": {"toxicity": {"prompt": "off", "completion": "off"}}, "playground": False, "in_flight_per_user": 1000,
}  # fmt: skip


@dataclass
class Process:
    """A gateway as a process, which a test may kill."""

    folder: Path
    process: "subprocess.Popen[str]"
    address: str
    key: str

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def lines(self, kind: str) -> list[dict[str, Any]]:
        """Return the lines of the audit log: `audit` or `refusals`."""
        return [json.loads(line) for path in (self.folder / "audit").glob(f"{kind}-*") for line in path.read_text().splitlines() if line]


@contextlib.contextmanager
def gateway_process(registry: Registry, server: StandInModelServer, folder: Path, **settings: Any) -> Iterator[Process]:
    folder.mkdir(exist_ok=True)
    values = {**SETTINGS, "model_server": server.address, "registry": str(registry.root), "folder": str(folder), **settings}
    (folder / "settings.json").write_text(json.dumps(values))
    key = KeyStore(folder / "keys").create("ada", ("generate", "feedback", "internal-load"), 1).text
    with (folder / "gateway.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "serving.gateway", f"--settings={folder / 'settings.json'}"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    ready = process.stdout.readline().strip()
    watchdog.cancel()
    try:
        assert ready, (folder / "gateway.log").read_text()
        yield Process(folder, process, ready.split()[-1], key)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@dataclass
class Load:
    """Clients that send requests until `stopped` is set. After a kill, another program may get the port of the gateway.

    Attributes:
        answered: prompts of the requests whose answer had at least one byte.
        rated: completion ids whose feedback had an answer.
        refused: number of answers without a key.
    """

    gateway: Process
    answered: list[str] = field(default_factory=list)
    rated: list[str] = field(default_factory=list)
    refused: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def client(self, number: int) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError, KeyError):
            for request in range(10_000):
                if self.stopped.is_set():
                    return
                self._generate(f"the rose {number} {request}", stream=bool(request % 2))

    def stranger(self) -> None:
        with contextlib.suppress(OSError):
            while not self.stopped.is_set() and self._first_byte("/v1/generate", {"text": "x"}, "rp_wrong")[0]:
                self.refused += 1

    def _generate(self, prompt: str, *, stream: bool) -> None:
        begun, answer = self._first_byte("/v1/generate", {"text": prompt, "stream": stream}, self.gateway.key)
        if begun:
            self.answered.append(prompt)
        if answer.startswith(b"HTTP/1.1 200") and not stream and not self.stopped.is_set():
            completion = json.loads(answer.partition(b"\r\n\r\n")[2])["id"]
            if self._first_byte("/v1/feedback", {"completion_id": completion, "thumb": "up"}, self.gateway.key)[0]:
                self.rated.append(completion)

    def _first_byte(self, path: str, body: Any, key: str) -> tuple[bool, bytes]:
        """Send a request. Return whether a byte of the answer arrived, and the answer as far as it arrived."""
        data = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        answer = b""
        with socket.create_connection(("127.0.0.1", self.gateway.port), 20) as connection:
            connection.sendall(head.encode() + b"Connection: close\r\n\r\n" + data)
            with contextlib.suppress(ConnectionError):
                while part := connection.recv(65536):
                    answer += part
        return bool(answer), answer


def kill_under_load(gateway: Process, pseudonyms: Pseudonyms, seconds: float) -> int:
    """Kill the gateway under load and compare what clients saw with the audit log. Return the number of answers."""
    load = Load(gateway)
    threads = [threading.Thread(target=load.client, args=(number,)) for number in range(8)]
    threads.append(threading.Thread(target=load.stranger))
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    load.stopped.set()  # requests in progress go on
    gateway.process.kill()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    lines = gateway.lines("audit")
    logged = {line["prompt_hmac"] for line in lines if line["entry"] in ("answer", "start")}
    rated = {line["completion_id"] for line in lines if line["route"] == "feedback"}
    assert [prompt for prompt in load.answered if pseudonyms.text(prompt) not in logged] == []
    assert set(load.rated) <= rated and load.answered and load.rated
    assert load.refused and gateway.lines("refusals")[0]["code"] == "invalid_credentials"
    return len(load.answered) + len(load.rated)


@pytest.mark.parametrize("kills", [2, pytest.param(50, marks=[pytest.mark.soak, pytest.mark.timeout(1200)])])
def test_each_answer_that_began_has_its_audit_line_after_a_kill(
    kills: int, registry: Registry, server: StandInModelServer, tmp_path: Path
) -> None:
    """Of 587 lines, 69 were once lost."""
    answers, dice = 0, random.Random(5)
    for kill in range(kills):
        with gateway_process(registry, server, tmp_path / str(kill)) as gateway:
            pseudonyms = Pseudonyms(read_or_create_key(gateway.folder / "pseudonyms.key"))
            answers += kill_under_load(gateway, pseudonyms, dice.uniform(0.4, 1.2))
    assert answers > 20 * kills


CARD = "4111111111111111"
WIDE_CARD = "\uff14" + "\uff11" * 15
OTHER_CARD = "2223003122003222"  # Presidio's pattern does not find this range of Mastercard
IBAN = "de89370400440532013000"
VALUES = (CARD, "4111 1111 1111 1111", WIDE_CARD, OTHER_CARD, IBAN)


def planted(gateway: Process) -> Iterator[tuple[str, str, dict[str, str], bytes]]:
    """Yield requests (method, target, headers, body) with a card number in each place that a client controls."""
    key = {"X-API-Key": gateway.key, "Content-Type": "application/json"}
    good = {"text": "the rose sleeps"}
    for name in ("X-Request-ID", "User-Agent", "Referer", "Cookie", "traceparent", "X-Forwarded-For", "X-Correlation-ID", "Accept", CARD):
        yield "POST", "/v1/generate", {**key, name: CARD}, json.dumps(good).encode()
    for credential in (
        {"X-API-Key": CARD},
        {"Authorization": f"Bearer {CARD}"},
        {"Authorization": f"Basic {CARD}"},
        {"Authorization": CARD},
    ):
        yield "POST", "/v1/generate", {"Content-Type": "application/json", **credential}, json.dumps(good).encode()
    yield "POST", "/v1/generate", {**key, "Content-Type": f"text/{CARD}"}, b"{}"
    for target in (
        f"/{CARD}",
        f"/v1/generate?key={CARD}",
        f"/healthz?{CARD}",
        f"/metrics?name[]={CARD}",
        f"/v1/{CARD}#{CARD}",
        f"/%34{CARD[1:]}",
    ):
        yield "GET", target, key, b""
    yield "GET", f"/ws/{CARD}?q={CARD}", {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13",
    }, b""  # fmt: skip
    bodies: Sequence[Any] = [
        *({"text": f"my number is {value}"} for value in VALUES), {"text": IBAN.upper()}, {"text": int(CARD)}, {CARD: 1},
        {**good, "stop_tokens": [CARD]}, {**good, "temperature": 0.4111111111111111}, {**good, "seed": int(CARD)}, {**good, CARD: CARD},
        {**good, "seed": int(CARD) // 10}, {**good, "text": [CARD]}, [CARD], CARD,
    ]  # fmt: skip
    for body in bodies:
        yield "POST", "/v1/generate", key, json.dumps(body).encode()
    for text in (b'{"text": "' + CARD.encode(), b"\xff" + CARD.encode(), b'{"a": {"%b": 1, "%b": 2}}' % (CARD.encode(), CARD.encode())):
        yield "POST", "/v1/generate", key, text
    for feedback in ({"completion_id": CARD, "thumb": "up"}, {"completion_id": CARD + CARD + "AAAAAAAA", "rating": 1}, {"thumb": CARD}):
        yield "POST", "/v1/feedback", key, json.dumps(feedback).encode()


def test_a_value_that_a_client_plants_anywhere_is_in_no_log(registry: Registry, server: StandInModelServer, tmp_path: Path) -> None:
    statuses = []
    with gateway_process(registry, server, tmp_path, request_log={"names": "patterns"}, log_level="debug") as gateway:
        for method, target, headers, body in planted(gateway):
            connection = gateway.connection()
            connection.request(method, target, body or None, headers)
            response = connection.getresponse()
            statuses.append(response.status)
            if "X-Request-ID" in headers:
                answer = json.loads(response.read())
                assert response.headers["X-Request-ID"] == CARD and answer["request_id"] != CARD  # only echoed
            connection.close()
        for raw in (f"{CARD} / HTTP/1.1\r\n\r\n", f"GET {CARD} HTTP/1.1\r\nHost: x\r\n\r\n", f"GET / HTTP/{CARD}\r\n\r\n", CARD):
            with socket.create_connection(("127.0.0.1", gateway.port), 5) as connection, contextlib.suppress(OSError):
                connection.sendall(raw.encode())
                connection.shutdown(socket.SHUT_WR)
                connection.recv(65536)
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(30) == 0
    assert {200, 401, 404, 405, 415, 422} <= set(statuses) and 500 not in statuses
    assert wait_until(lambda: not list(tmp_path.rglob("_spool-*")) and read(tmp_path / "requests").num_rows > 10, seconds=120)
    rows = str(read(tmp_path / "requests").to_pylist())
    logs = {
        path: path.read_bytes().decode("utf-8", "replace") for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".parquet"
    }
    assert any(path.name.startswith("audit-") for path in logs) and any(path.name.startswith("refusals-") for path in logs)
    for value in (*VALUES, "41111111", urllib.parse.quote(WIDE_CARD), gateway.key):
        for form in (value, json.dumps(value).strip('"')):
            assert form not in rows
            assert [path.name for path, text in logs.items() if form in text] == []


def test_a_flood_of_refusals_writes_few_bytes(registry: Registry, server: StandInModelServer, tmp_path: Path) -> None:
    """Each 401 and 429 once wrote 365 bytes: 47 GB a day for one client."""
    settings = {**QUIET, "model_server": server.address, "registry": str(registry.root), "folder": str(tmp_path)}
    with running(ServeSettings(**settings)) as gateway:
        statuses = [gateway.http.post("/v1/generate", json={}, headers={"X-API-Key": "rp_wrong"}).status_code for _ in range(300)]
    assert statuses == [401] * 100 + [429] * 200
    lines = [json.loads(line) for path in (tmp_path / "audit").iterdir() for line in path.read_text().splitlines()]
    assert sum(line["count"] for line in lines) == 300 and len(lines) <= 8  # two codes, perhaps in two intervals
    assert sum(path.stat().st_size for path in (tmp_path / "audit").iterdir()) < 4000
