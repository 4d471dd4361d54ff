"""The loop closes: users write something else, and one training run makes a canary. All parts are real; a window takes 15 s, not a day."""

import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.replay.programs import free_port
from serving.access.api_keys import KeyStore
from tests.e2e.conftest import FirstRun, Shell
from tests.e2e.served import Served
from tests.infra.monitored import alertmanager, needs_both, prometheus, query, wait_for

WINDOW, USERS = 15.0, 45  # seconds; users who ask once in a window
FACTOR = 1 / 300  # of the durations of the rules: a minute is 0.2 s, so Alertmanager repeats the drift every 12 s
KNOWN = "and the man of the court to the lord and the"  # perplexity 240 under the tiny model of the profile `ci`
OTHER = "Grüße aus Zürich, Fußball und Äpfel müssen größer werden"  # 1,900
SETTINGS = {
    "monitoring.drift.window_seconds": WINDOW, "monitoring.drift.min_users": 30, "monitoring.drift.baseline_windows": 2,
    "monitoring.retraining.enabled": "automatic", "monitoring.retraining.warm_start": "true",
    "serve.request_log.names": "patterns", "serve.request_log.scores_per_second": 100, "serve.request_log.scrub_share": 1,
    "serve.in_flight_per_user": 100, "serve.access.requests_per_minute": 100_000, "serve.access.ip_requests_per_minute": 100_000,
}  # fmt: skip


@contextmanager
def program(shell: Shell, ready: str, *words: str) -> Iterator[list[str]]:
    """Run a command until the end of the block; its lines are in the list. Yields when a line starts with `ready`."""
    process, lines = shell.start(*words), list[str]()

    def read_all() -> None:
        for line in process.stdout or ():
            lines.append(line.strip())

    reader = threading.Thread(target=read_all)
    reader.start()
    try:
        wait_for(lambda: process.poll() is not None or any(line.startswith(ready) for line in lines))
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        yield lines
    finally:
        process.terminate()
        process.wait(30)
        reader.join()
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()


class Users:
    """Users who ask in turn, `USERS` in a window, in a thread."""

    def __init__(self, served: Served, key: str) -> None:
        self.text, self.failed, self._served, self._key = KNOWN, list[int](), served, key
        self._stopped = threading.Event()

    def run(self) -> None:
        with httpx.Client(headers={"X-API-Key": self._key}, timeout=30) as client:
            number = 0
            while not self._stopped.wait(WINDOW / USERS):
                number += 1
                answer = client.post(
                    f"{self._served.address}/v1/generate", json={"text": self.text, "max_length": 4},
                    headers={"X-End-User": f"reader-{number % USERS}"},
                )  # fmt: skip
                if answer.status_code != 200:
                    self.failed.append(answer.status_code)

    @contextmanager
    def asking(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            thread.join()


@needs_both
@pytest.mark.soak
@pytest.mark.timeout(1500)
def test_a_drift_of_the_prompts_ends_as_one_canary(first_run: FirstRun, tmp_path: Path) -> None:
    shell = Shell(tmp_path / "person")
    subprocess.run(["cp", "-a", str(first_run.copy), str(shell.folder)], check=True)
    options = ["--profile", "ci", *(word for name, value in SETTINGS.items() for word in ("--set", f"{name}={value}"))]
    watcher_port, trigger_port, model = free_port(), free_port(), "ci-shakespeare"
    with ExitStack() as running:
        served = Served(shell, *options)
        running.callback(served.end)
        key = KeyStore(shell.folder / ".serve" / "keys").create("app", ("generate", "end-users"), 1).text
        time.sleep(1.5)  # the gateway looks for new keys each second
        trigger_words = ("retrain", "listen", "--model", model, *options, "--set", f"monitoring.retraining.port={trigger_port}")
        decided = running.enter_context(program(shell, "retrain: ready", *trigger_words))
        watch_words = ("drift", "watch", "--model", model, *options, "--set", f"monitoring.port={watcher_port}")
        judged = running.enter_context(program(shell, "drift: ready", *watch_words))
        token = (shell.folder / ".serve" / "retraining" / "token").read_text()
        notifying, _ = running.enter_context(alertmanager(tmp_path, FACTOR, (trigger_port, token)))
        gateway, model_server = (int(re.findall(r":(\d+)", address)[-1]) for address in (served.address, served_metrics(shell)))
        targets = {
            "robo-poet-gateway": gateway, "robo-poet-model-server": model_server, "robo-poet-drift": watcher_port,
            "robo-poet-retraining": trigger_port, **dict.fromkeys(("robo-poet-canary", "robo-poet-model-sync"), free_port()),
            "alertmanager": int(notifying.rpartition(":")[2]),
        }  # fmt: skip
        database = running.enter_context(prometheus(tmp_path, FACTOR, targets))
        users = Users(served, key)
        running.enter_context(users.asking())

        wait_for(lambda: any("no drift" in line for line in judged), 8 * WINDOW)
        assert query(database, 'ALERTS{alertname="RoboPoetPerplexityDrift"}') == []
        users.text = OTHER
        wait_for(lambda: any(": drift: " in line for line in judged), 8 * WINDOW)
        wait_for(lambda: query(database, 'ALERTS{alertname="RoboPoetPerplexityDrift",alertstate="firing"}'), 30)
        wait_for(lambda: requests(shell)[0]["status"] == "finished", 600)
        time.sleep(15)  # Alertmanager repeats the drift
    [request] = requests(shell)
    assert (len(request["runs"]), request["made"]) == (1, 2) and "version 2 is canary" in request["why"], request
    assert users.failed == [] and decided
    lineage = json.loads(shell.type("registry", "show", "2", "--json"))["lineage"]
    assert lineage["trigger"]["alert"]["version"] == 1 and len(lineage["trigger"]["window"]) == 64


def requests(shell: Shell) -> list[dict[str, Any]]:
    return json.loads(shell.type("retrain", "list", "--json"))  # type: ignore[no-any-return]


def served_metrics(shell: Shell) -> str:
    return json.loads((shell.folder / ".serve" / "gateway.json").read_text())["model_server"]  # type: ignore[no-any-return]
