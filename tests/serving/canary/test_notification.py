"""Notifications of a real registry's log to a real HTTP server and to a real command."""

import json
import logging
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from robo_poet.registry.registry import Registry
from robo_poet.settings.canary import NotifySettings
from serving.canary.notification import WAITS, Notifier, channels, message
from tests.robo_poet.registry.released import released

SAID = {"who": "ada", "why": "test"}
RELEASE = ["start_canary", "set_share", "hold_canary", "resume_canary", "promote", "end_watch"]


class Receiver(ThreadingHTTPServer):
    """A server that keeps what it gets. `status`: its answer, for each path."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies: dict[str, list[dict[str, Any]]] = {"/hook": [], "/slack": []}
        self.status = {"/hook": 200, "/slack": 200}

    def environment(self) -> dict[str, str]:
        address = f"http://127.0.0.1:{self.server_port}"
        return {"ROBO_POET_WEBHOOK_URL": f"{address}/hook?token=hush", "ROBO_POET_SLACK_URL": f"{address}/slack?token=hush"}

    def actions(self) -> list[str]:
        return [body["action"] for body in self.bodies["/hook"]]


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        path = self.path.partition("?")[0]
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.status[path] < 300:
            self.server.bodies[path].append(body)
        self.send_response(self.server.status[path])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """A registry with a champion and a candidate."""
    return released(tmp_path)


def release(registry: Registry) -> None:
    registry.start_canary(2, **SAID)
    registry.set_share(2, 0, 0.05, who="canary controller", why="first step", evidence="a" * 64)
    registry.hold_canary(2, **SAID)
    registry.resume_canary(2, **SAID)
    registry.promote(2, **SAID, watch_share=0.1)
    registry.end_watch(2, **SAID)


class Clock:
    """A clock that a test sets."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def notifier(tmp_path: Path, receiver: Receiver, clock: Clock | None = None) -> Notifier:
    return Notifier(
        channels(NotifySettings(), receiver.environment()), tmp_path / "notified.json", "https://console.test", clock or Clock()
    )


def test_each_move_is_sent_once_in_the_order_of_the_log(tmp_path: Path, receiver: Receiver, registry: Registry) -> None:
    sender = notifier(tmp_path, receiver)
    assert sender.send(registry.log()) == 0  # entries before the first start are not sent
    release(registry)
    assert sender.send(registry.log()) == 2 * len(RELEASE) and sender.send(registry.log()) == 0
    assert receiver.actions() == RELEASE
    share = receiver.bodies["/hook"][1]
    assert (share["model"], share["version"], share["who"], share["why"]) == ("poems", 2, "canary controller", "first step")
    assert share["evidence"] == "a" * 64 and share["link"] == "https://console.test" and share["index"] == 5
    assert receiver.bodies["/slack"][1] == {
        "text": "poems/2 serves 5% of the users as canary. first step (canary controller) https://console.test"
    }


def test_registrations_are_no_moves_of_a_release(tmp_path: Path, receiver: Receiver, registry: Registry) -> None:
    sender = notifier(tmp_path, receiver)
    sender.send([])  # as before the first entry
    assert sender.send(registry.log()) == 2 and receiver.actions() == ["promote"]


def test_a_further_decision_is_a_move(registry: Registry) -> None:
    registry.judge_again(1, {"gates": []}, {}, verdict="rejected", who="ada", why="bleu is 0.1")
    body = message(registry.log()[-1], "")
    assert body and body["text"] == "poems/1 was judged again by the gates and rejected. bleu is 0.1 (ada)"


def test_a_failed_delivery_is_tried_again_and_nothing_is_lost(tmp_path: Path, receiver: Receiver, registry: Registry) -> None:
    clock = Clock()
    sender = notifier(tmp_path, receiver, clock)
    sender.send(registry.log())
    receiver.status["/hook"] = 500
    release(registry)
    assert sender.send(registry.log()) == len(RELEASE)  # Slack works
    receiver.status["/hook"] = 200
    assert sender.send(registry.log()) == 0  # too early
    clock.seconds = WAITS[0]
    assert sender.send(registry.log()) == len(RELEASE) and receiver.actions() == RELEASE
    assert len(receiver.bodies["/slack"]) == len(RELEASE)


def test_a_receiver_that_is_down_does_not_delay_another(tmp_path: Path, receiver: Receiver, registry: Registry) -> None:
    sender = notifier(tmp_path, receiver)
    sender.send(registry.log())
    receiver.status["/hook"] = 503
    registry.start_canary(2, **SAID)
    assert sender.send(registry.log()) == 1
    registry.reject(2, **SAID)
    assert sender.send(registry.log()) == 1  # while the webhook waits
    assert "was rejected" in receiver.bodies["/slack"][1]["text"]


def test_a_receiver_that_stays_down_is_asked_less_and_less_often(tmp_path: Path, receiver: Receiver, registry: Registry) -> None:
    clock = Clock()
    sender = notifier(tmp_path, receiver, clock)
    sender.send(registry.log())
    receiver.status["/hook"] = 500
    registry.start_canary(2, **SAID)
    for seconds in (0, 2, 6, 14):  # waits of 2, 4 and 8 s
        clock.seconds = seconds
        sender.send(registry.log())
    receiver.status["/hook"] = 200
    clock.seconds = 29
    assert sender.send(registry.log()) == 0
    clock.seconds = 30
    assert sender.send(registry.log()) == 1


def test_a_restart_sends_only_what_is_missing(tmp_path: Path, receiver: Receiver, registry: Registry) -> None:
    notifier(tmp_path, receiver).send(registry.log())
    receiver.status["/hook"] = 500
    release(registry)
    notifier(tmp_path, receiver).send(registry.log())
    receiver.status["/hook"] = 200
    assert notifier(tmp_path, receiver).send(registry.log()) == len(RELEASE)
    assert receiver.actions() == RELEASE and len(receiver.bodies["/slack"]) == len(RELEASE)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"webhook": "x"}', '{"webhook": 999, "slack": 999}'])
def test_a_damaged_file_sends_no_old_entries(tmp_path: Path, receiver: Receiver, registry: Registry, text: str) -> None:
    (tmp_path / "notified.json").write_text(text)
    sender = notifier(tmp_path, receiver)
    assert sender.send(registry.log()) == 0
    registry.start_canary(2, **SAID)
    assert sender.send(registry.log()) == 2


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/hush", "http://[hush", "hush", "ftp://hush/", "http://hush:99999999/", "http://hu\nsh/"]
)
def test_a_bad_or_refusing_address_stops_nothing_and_is_not_logged(
    tmp_path: Path, registry: Registry, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    sender = Notifier(channels(NotifySettings(), {"ROBO_POET_WEBHOOK_URL": url}), tmp_path / "notified.json")
    sender.send(registry.log())
    registry.start_canary(2, **SAID)
    assert sender.send(registry.log()) == 0
    assert "could not be delivered to the webhook" in caplog.text and "hush" not in caplog.text


def test_addresses_are_not_logged(tmp_path: Path, receiver: Receiver, registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    sender = notifier(tmp_path, receiver)
    with caplog.at_level(logging.INFO):
        sender.send(registry.log())
        registry.start_canary(2, **SAID)
        receiver.status["/slack"] = 404
        assert sender.send(registry.log()) == 1
    assert "HTTPStatusError" in caplog.text and "hush" not in caplog.text and "/hook" not in caplog.text


def test_a_command_gets_a_json_line(tmp_path: Path, registry: Registry) -> None:
    program = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read())"
    settings = NotifySettings(command=(sys.executable, "-c", program, str(tmp_path / "got")))
    sender = Notifier(channels(settings, {}), tmp_path / "notified.json")
    sender.send(registry.log())
    registry.start_canary(2, who="ada", why="für alle\nLeser")
    registry.reject(2, **SAID)
    assert sender.send(registry.log()) == 2
    first, second = map(json.loads, (tmp_path / "got").read_text().splitlines())
    assert first["why"] == "für alle\nLeser" and second["action"] == "reject"


@pytest.mark.parametrize("command", [("/no/such/program",), (sys.executable, "-c", "raise SystemExit(3)"), ("",)])
def test_a_command_that_fails_is_tried_again(tmp_path: Path, registry: Registry, command: tuple[str, ...]) -> None:
    clock = Clock()
    sender = Notifier(channels(NotifySettings(command=command), {}), tmp_path / "notified.json", clock=clock)
    sender.send(registry.log())
    registry.start_canary(2, **SAID)
    assert sender.send(registry.log()) == 0
    assert Notifier(channels(NotifySettings(command=("cat",)), {}), tmp_path / "notified.json").send(registry.log()) == 1


def test_without_settings_nobody_is_told() -> None:
    assert channels(NotifySettings(), {}) == []


def test_a_release_that_waits_is_told_once_to_each_receiver(tmp_path: Path, receiver: Receiver, registry: Registry) -> None:
    clock = Clock()
    sender = notifier(tmp_path, receiver, clock)
    sender.send(registry.log())
    receiver.status["/slack"] = 500
    sender.wait_for_person("poems", 2, "ratings are worse")
    sender.send(registry.log())
    receiver.status["/slack"] = 200
    clock.seconds += WAITS[1]
    sender.send(registry.log())
    sender.send(registry.log())
    assert receiver.actions() == ["wait"] and receiver.bodies["/hook"][0]["why"] == "ratings are worse"
    assert [body["text"] for body in receiver.bodies["/slack"]] == ["poems/2 waits for a person. ratings are worse https://console.test"]
