"""The log of retraining in a folder."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from monitoring.retraining.log import RetrainingLog, find_request
from robo_poet.errors import BadInput
from robo_poet.judges.retraining.state import Event, Key, State
from robo_poet.registry.log.entry import Corrupt

KEY = Key("poems", 1, "0123456789abcdef", "the world changed")
ASKED = Event("asked", KEY, 1.8e9, "trigger", "an alert", alert="2026-03-10T12:00:00Z", window="f" * 64)


def full(folder: Path) -> RetrainingLog:
    log = RetrainingLog(folder / "log", "poems")
    for event in (
        ASKED,
        Event("approved", KEY, 1.8e9 + 1, "ada", "they stay"),
        Event("started", KEY, 1.8e9 + 2, "trigger", "approved", run="r1"),
        Event("finished", KEY, 1.8e9 + 9, "trigger", "version 2 is canary", run="r1", hours=0.5, made=2),
    ):
        assert log.record(lambda _, event=event: event) == event  # type: ignore[misc]
    return log


def test_another_reader_sees_the_same_state(tmp_path: Path) -> None:
    log, other = full(tmp_path), RetrainingLog(tmp_path / "log", "poems")
    assert other.state() == log.state() and other.counts() == {
        "asked": 1,
        "approved": 1,
        "refused": 0,
        "started": 1,
        "finished": 1,
        "failed": 0,
    }
    [request] = other.state().requests
    assert (request.status, request.approved, request.made, request.window, request.runs[0].hours) == ("finished", "ada", 2, "f" * 64, 0.5)
    assert find_request(other.state(), 1, "") == KEY
    for number in (0, 2):
        with pytest.raises(BadInput, match=f"there is no request {number}; the requests are 1 to 1"):
            find_request(other.state(), number, "")


def test_an_event_that_the_state_forbids_is_not_written(tmp_path: Path) -> None:
    log = full(tmp_path)
    with pytest.raises(ValueError, match="it is finished"):
        log.record(lambda _: ASKED)
    assert log.record(lambda _: None) is None and len(list((tmp_path / "log").iterdir())) == 4


def test_of_many_writers_one_asks(tmp_path: Path) -> None:
    written = []

    def write() -> None:
        log = RetrainingLog(tmp_path / "log", "poems")
        written.append(log.record(lambda state: None if state.request(KEY) else ASKED))

    threads = [threading.Thread(target=write) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(bool, written)) == [False] * 11 + [True]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("they stay", "they STAY", "changed after it was written"),
        (None, None, "is missing, but later ones exist"),
    ],
)
def test_a_damaged_log_is_named(tmp_path: Path, old: str | None, new: str, says: str) -> None:
    full(tmp_path)
    path = tmp_path / "log" / "00000002.json"
    path.chmod(0o600)
    if old is None:
        path.unlink()
    else:
        path.write_text(path.read_text().replace(old, new))
    with pytest.raises(Corrupt, match=f"00000002.json.*{says}"):
        RetrainingLog(tmp_path / "log", "poems").state()


def test_a_log_of_another_model_or_program_is_refused(tmp_path: Path) -> None:
    full(tmp_path)
    with pytest.raises(Corrupt, match="an entry of another model, poems"):
        RetrainingLog(tmp_path / "log", "plays").state()
    from tests.robo_poet.registry.released import released

    released(tmp_path)
    with pytest.raises(Corrupt, match="not an entry of this log"):
        RetrainingLog(tmp_path / "registry" / "poems" / "log", "poems").state()


def test_a_log_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    log = full(tmp_path)
    assert log.state().length == 4
    (tmp_path / "log").rename(tmp_path / "old")
    assert log.state() == State()
    other = replace(ASKED, key=replace(KEY, cause="unknown"))
    log.record(lambda _: other)
    assert [request.key.cause for request in log.state().requests] == ["unknown"] and log.counts()["approved"] == 0
    assert json.loads((tmp_path / "log" / "00000001.json").read_text())["details"]["cause"] == "unknown"
