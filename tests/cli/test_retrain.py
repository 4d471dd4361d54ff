"""`robo-poet retrain` on a real registry and a real log."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.retrain import app
from monitoring.retraining.launch import RunCommand
from monitoring.retraining.live_text import UsedLiveText
from monitoring.retraining.log import RetrainingLog
from robo_poet.errors import BadInput
from robo_poet.judges.retraining.state import Event, Key, Request
from robo_poet.request_log.record import Request as RequestRecord
from robo_poet.request_log.writer import Writer
from robo_poet.settings.serve import RequestLogSettings
from serving.access.api_keys import KeyStore
from serving.access.caller import Consent
from serving.telemetry.pseudonym import Pseudonyms, read_or_create_key, reader_of
from tests.monitoring.retraining.listening import ROOT, Listening, address_of, alert, facts_of, message, place
from tests.repository.commands import fault


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A registry with a champion, and a log with two requests that wait and one that was refused."""
    place(tmp_path)
    facts = facts_of(tmp_path)
    log = RetrainingLog(tmp_path / "retraining" / "poems" / "log", "poems")
    for cause in ("the world changed", "a new group of users", "broken or hostile input"):
        key = alert(facts, cause).key
        log.record(lambda _, key=key: Event("asked", key, 1.8e9, "trigger", "an alert", alert="2026-03-10T12:00:00Z"))  # type: ignore[misc]
    log.record(lambda _: Event("refused", key, 1.8e9, "trigger", "a model must not learn from this cause", rule=True))
    return tmp_path


def call(folder: Path, *words: str) -> Result:
    places = ["--registry", str(folder / "registry"), "--folder", str(folder / "retraining")]
    return CliRunner().invoke(app, [*words, *places], env={"COLUMNS": "200"})


def test_requests_are_listed_approved_and_refused(folder: Path) -> None:
    shown = call(folder, "list").stdout
    assert "poems: requests for a retraining" in shown and shown.count("waits for a person") == 2
    assert "robo-poet retrain approve 1 --model poems --why 'your reason'" in shown and "must not learn" in shown
    assert "request 1 (poems/1, the world changed) is approved" in call(folder, "approve", "1", "--why", "they stay").stdout
    assert "request 2 (poems/1, a new group of users) is refused" in call(folder, "refuse", "2", "--why", "a campaign").stdout
    rows = json.loads(call(folder, "list", "--json").stdout)
    assert [row["status"] for row in rows] == ["open", "refused", "refused"] and rows[0]["why"] == "they stay"
    assert (rows[0]["next"]["action"], rows[1]["next"]) == ("start", None) and rows[1]["by_person"]
    waits = json.loads(call(folder, "list", "--json", "--set", "monitoring.retraining.enabled=off").stdout)[0]["next"]
    assert waits["action"] == "refuse"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("refuse", "3", "--why", "x"), "request 3 is refused, not open; .*robo-poet retrain list"),
        (("refuse", "9", "--why", "x"), "there is no request 9; the requests are 1 to 3"),
        (("approve", "1", "--why", " "), "`why` is empty"),
        (("list", "--model", "plays"), "there is no model plays"),
        (("list", "--set", "monitoring.retraining.budget_hours=1"), "a run needs 2 h"),
    ],
)
def test_what_is_not_possible_is_one_line(folder: Path, words: tuple[str, ...], says: str) -> None:
    result = call(folder, *words)
    assert isinstance(result.exception, BadInput)
    with pytest.raises(BadInput, match=says):
        raise result.exception


def test_without_alerts_the_next_command_is_named(tmp_path: Path) -> None:
    place(tmp_path)
    assert "no alert has asked for a retraining; to take alerts:" in call(tmp_path, "list").stdout
    approved = call(tmp_path, "approve", "1", "--why", "x").exception
    assert isinstance(approved, BadInput) and "no alert has asked for a retraining yet" in str(approved)


@pytest.mark.parametrize("words", [("list",), ("approve", "1", "--why", "x")])
def test_an_empty_registry_names_no_model(tmp_path: Path, words: tuple[str, ...]) -> None:
    refused = call(tmp_path, *words).exception
    assert isinstance(refused, BadInput) and "the registry is empty; to train a model: " in str(refused)


def test_the_command_of_a_run_is_complete() -> None:
    request = Request(1, Key("poems", 3, "0" * 16, "unknown"), "open", 0.0, "2026-03-10T12:00:00Z", "", 0.0, "ada", "test")
    live = UsedLiveText(Path("/live-text-1.jsonl"), "used: 5 prompts of 5 users")
    command = RunCommand("ci", ("train.epochs=2",), "/poems", same_model=True, warm_start=True, live_text=live)
    words = command.words(request, "20260310T120000.000-ab12")
    assert fault(words[3:], whole=True) == ""


def write_prompts_with_consent(serve: Path, users: int) -> None:
    """Write a request log with one prompt of each reader of an application that consents for its readers."""
    names = Pseudonyms(read_or_create_key(serve / "pseudonyms.key"))
    key = KeyStore(serve / "keys").create("app", ["generate", "end-users"], 1, Consent.READERS).key
    log = Writer(serve / "requests", RequestLogSettings())
    for n in range(users):
        log.add("request", asdict(RequestRecord(
            f"c{n}", f"r{n}", time.time() - 60 - n, names.user(reader_of("app", str(n))), "poems", 1, "d" * 64, "champion",
            f"the long night of prompt {n}", ["falls softly"], client="application", consent=names.api_key(key.id),
        )))  # fmt: skip
    log.close()


@pytest.mark.soak
def test_the_real_command_is_started_and_its_error_is_recorded(tmp_path: Path) -> None:
    place(tmp_path)
    write_prompts_with_consent(tmp_path / "serve", 5)
    settings = {
        "monitoring.retraining.live_text": "true", "serve.folder": str(tmp_path / "serve"),
        "monitoring.retraining.port": "0", "monitoring.retraining.enabled": "automatic", "monitoring.retraining.attempts": "1",
        "monitoring.retraining.corpus": str(tmp_path / "missing"), "local.runs": str(tmp_path / "runs"), "local.store": str(tmp_path / "store"),
    }  # fmt: skip
    words = [
        sys.executable,
        "-m",
        "cli",
        "retrain",
        "listen",
        "--profile",
        "ci",
        *(w for key, value in settings.items() for w in ("--set", f"{key}={value}")),
    ]
    words += ["--registry", str(tmp_path / "registry"), "--folder", str(tmp_path / "retraining")]
    log = RetrainingLog(tmp_path / "retraining" / "poems" / "log", "poems")
    with subprocess.Popen(words, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout and "retraining of poems: automatic, profile ci" in process.stdout.readline()
            address = address_of(process)
            token = (tmp_path / "retraining" / "token").read_text()
            assert Listening(process, address, token).post(message([alert(facts_of(tmp_path))])).status == 200
            end = time.monotonic() + 120
            while log.state().requests[0].status != "refused":
                assert time.monotonic() < end
                time.sleep(0.2)
            with urllib.request.urlopen(f"{address}/metrics") as answer:
                assert b'robo_poet_retraining_total{action="failed",model="poems"} 1.0' in answer.read()
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
            assert "live text is used: 5 prompts of 5 users of the last 14 days" in process.stdout.read()
        finally:
            process.kill()
    [live] = (tmp_path / "retraining" / "poems").glob("live-text-*.jsonl")
    assert live.read_text().count("the long night of prompt") == 5 and "falls softly" not in live.read_text()
    assert (
        "1 attempt failed; the last: the run ended with status 2:" in log.state().requests[0].why
        and "missing: no such" in log.state().requests[0].why
    )
