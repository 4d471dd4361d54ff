"""The HTTP interface in the process: who is let in, what is too large, and what happens if the log cannot be written."""

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from monitoring.retraining.receiver import LARGEST_BODY, TriggerSeries, receiver
from robo_poet.judges.retraining.decision import Facts
from tests.monitoring.retraining.listening import alert, message, trigger

FACTS = Facts("poems", 1, "0123456789abcdef")
TOKEN = "a-token-of-this-test"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class Place:
    def __init__(self, folder: Path) -> None:
        self.folder, self.received = folder, 0
        self.trigger = trigger(folder, FACTS)
        self.client = TestClient(receiver(self.trigger, TOKEN.encode(), TriggerSeries(self.trigger), self.count))

    def count(self) -> None:
        self.received += 1


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    with place.client:
        yield place


def test_a_message_is_answered_with_its_decisions(here: Place) -> None:
    answer = here.client.post("/alerts", content=message([alert(FACTS), alert(FACTS), alert(FACTS, firing=False)]), headers=BEARER)
    assert answer.status_code == 200 and [row["action"] for row in answer.json()["decisions"]] == ["start", "duplicate", "ignore"]
    assert answer.json()["decisions"][0]["key"] == {
        "model": "poems",
        "version": 1,
        "baseline": FACTS.baseline,
        "cause": "the world changed",
    }
    assert here.received == 1
    metrics = here.client.get("/metrics").text
    for line in (
        'robo_poet_retraining_total{action="asked",model="poems"} 1.0',
        'robo_poet_retraining_total{action="started",model="poems"} 0.0',
        'robo_poet_retraining_running{model="poems"} 0.0',
        'robo_poet_retraining_open{model="poems"} 1.0',
        'robo_poet_retraining_unapproved{model="poems"} 0.0',
        'robo_poet_retraining_alerts_total{action="duplicate",model="poems"} 1.0',
    ):
        assert line in metrics.splitlines()


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN} x", "Bearer \xe4"]
)
def test_nobody_without_the_token_gets_in(here: Place, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    answer = here.client.post("/alerts", content=message([alert(FACTS)]), headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 401 and "Bearer" in answer.headers["WWW-Authenticate"]
    assert here.received == 0 and here.trigger.state().requests == ()


def test_another_form_is_400_and_changes_nothing(here: Place) -> None:
    for body in (b"", b"{}", message([alert(FACTS)]).replace(b'"4"', b'"5"'), message([alert(FACTS)]).replace(b"0123456789abcdef", b"x")):
        answer = here.client.post("/alerts", content=body, headers=BEARER)
        assert answer.status_code == 400 and "\n" not in answer.json()["error"]
    assert here.received == 0 and here.trigger.state().requests == ()


def test_a_body_above_the_limit_is_413_with_and_without_its_length(here: Place) -> None:
    large = message([alert(FACTS)]) + b" " * LARGEST_BODY
    assert here.client.post("/alerts", content=large, headers=BEARER).status_code == 413
    pieces = (large[start : start + 65_536] for start in range(0, len(large), 65_536))
    assert here.client.post("/alerts", content=pieces, headers=BEARER).status_code == 413
    exact = message([alert(FACTS)]).ljust(LARGEST_BODY)
    assert here.client.post("/alerts", content=exact, headers=BEARER).status_code == 200


def test_a_log_that_cannot_be_written_is_503_so_that_the_alert_comes_again(here: Place) -> None:
    log = here.folder / "retraining" / "log"
    log.parent.mkdir()
    log.write_text("a file in the place of the folder")
    answer = here.client.post("/alerts", content=message([alert(FACTS)]), headers=BEARER)
    assert answer.status_code == 503 and "send them again" in answer.json()["error"] and here.received == 0
    assert here.client.get("/metrics").status_code == 200
    log.unlink()
    assert here.client.post("/alerts", content=message([alert(FACTS)]), headers=BEARER).json()["decisions"][0]["action"] == "start"


def test_a_full_disk_is_503_and_the_same_message_is_recorded_later(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("robo_poet.atomic.os.link", full)
        answer = here.client.post("/alerts", content=message([alert(FACTS)]), headers=BEARER)
    assert answer.status_code == 503 and "No space left" in answer.json()["error"] and here.trigger.state().requests == ()
    assert here.client.post("/alerts", content=message([alert(FACTS)]), headers=BEARER).json()["decisions"][0]["action"] == "start"


def test_other_addresses_and_methods_are_refused(here: Place) -> None:
    assert here.client.get("/alerts", headers=BEARER).status_code == 405 and here.client.post("/metrics", headers=BEARER).status_code == 405
    assert here.client.get("/", headers=BEARER).status_code == 404
