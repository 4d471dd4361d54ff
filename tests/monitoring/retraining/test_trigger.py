"""The trigger: one run for each cause, whatever alerts come and whenever it is killed."""

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from monitoring.retraining.log import RetrainingLog
from monitoring.retraining.trigger import Trigger, decide_by_hand
from robo_poet.errors import BadInput
from robo_poet.judges.retraining.decision import Facts
from robo_poet.judges.retraining.state import Request, State
from tests.killing import killed_after
from tests.monitoring.retraining.listening import AUTOMATIC, alert, starts, trigger

KILLS = 200 if os.environ.get("ROBO_POET_SOAK") else 10
FACTS = Facts("poems", 1, "0123456789abcdef")
HOUR = 3600.0


def until(made: Trigger, condition: Callable[[State], bool], seconds: float = 20) -> list[str]:
    """Look until the state meets the condition. Return the lines of all looks."""
    end, lines = time.monotonic() + seconds, list[str]()
    while not condition(made.state()):
        assert time.monotonic() < end, (made.state(), lines)
        lines += made.look()
        time.sleep(0.002)
    return lines


def ended(state: State) -> bool:
    return bool(state.requests) and not state.open and state.running is None


def only(made: Trigger) -> Request:
    [request] = made.state().requests
    return request


def test_an_alert_starts_one_run_and_its_end_is_recorded(tmp_path: Path) -> None:
    made = trigger(tmp_path, FACTS, window=lambda key: "f" * 64)
    decisions = made.receive([alert(FACTS)] * 3)
    assert [decision.action for decision in decisions] == ["start", "duplicate", "duplicate"]
    lines = until(made, ended)
    request = only(made)
    assert (request.status, request.why, request.made, request.window) == ("finished", "version 3 is canary", 3, "f" * 64)
    assert starts(tmp_path) == [request.runs[0].id] and request.runs[0].hours == pytest.approx(1.5 / HOUR)
    assert len(lines) == 2 and "is started" in lines[0] and "has ended: version 3 is canary" in lines[1]
    assert made.receive([alert(FACTS)])[0].action == "duplicate" and made.look() == []


def test_a_person_approves_or_refuses_while_the_trigger_runs(tmp_path: Path) -> None:
    made = trigger(tmp_path, FACTS, policy=replace(AUTOMATIC, enabled="ask"))
    other = alert(FACTS, "a new group of users")
    assert [decision.action for decision in made.receive([alert(FACTS), other])] == ["wait_for_approval"] * 2
    assert made.look() == [] and starts(tmp_path) == [] and made.unapproved() == 2
    by_hand = RetrainingLog(tmp_path / "retraining" / "log", "poems")
    said = {"who": "ada", "why": "they stay", "now": time.time()}
    decide_by_hand(by_hand, other.key, approve=True, **said)
    decide_by_hand(by_hand, alert(FACTS).key, approve=False, **said)
    until(made, ended)
    assert [request.status for request in made.state().requests] == ["refused", "finished"] and len(starts(tmp_path)) == 1
    with pytest.raises(ValueError, match="request 2 is finished, not open"):
        decide_by_hand(by_hand, other.key, approve=True, **said)
    assert made.receive([alert(FACTS)])[0].reasons == ("request 1 has this cause; it is refused: they stay",)


def test_hostile_input_and_late_alerts_are_refused_with_the_reason(tmp_path: Path) -> None:
    made = trigger(tmp_path, FACTS)
    asked = [alert(FACTS, "broken or hostile input"), alert(FACTS, version=2), alert(FACTS, baseline="f" * 16), alert(FACTS, firing=False)]
    assert [decision.action for decision in made.receive(asked)] == ["refuse", "refuse", "refuse", "ignore"]
    until(made, ended)
    assert [request.why for request in made.state().requests] == [
        "a model must not learn from this cause: broken or hostile input",
        "version 2 is not the champion any more; version 1 is champion",
        "the baseline of version 1 was replaced after the alert",
    ]
    assert starts(tmp_path) == [] and made.receive(asked)[0].action == "duplicate"


def test_a_champion_that_changes_while_a_request_waits_ends_the_request(tmp_path: Path) -> None:
    asking = replace(AUTOMATIC, enabled="ask")
    trigger(tmp_path, FACTS, policy=asking).receive([alert(FACTS)])
    later = trigger(tmp_path, replace(FACTS, champion=2), policy=asking)
    assert later.look() == [
        "request 1 (poems/1, the world changed) is refused: version 1 is not the champion any more; version 2 is champion"
    ]


def test_a_failed_run_is_repeated_and_given_up(tmp_path: Path) -> None:
    made = trigger(tmp_path, FACTS, status="failed")
    made.receive([alert(FACTS)])
    until(made, ended)
    request = only(made)
    assert (request.status, len(request.runs), len(set(starts(tmp_path)))) == ("refused", 5, 5)
    assert request.why == "5 attempts failed; the last: the run ended with status 2: corpus: it is gone; give another"
    repaired, said = trigger(tmp_path, FACTS), {"who": "ada", "why": "the corpus is back", "now": time.time()}
    decide_by_hand(RetrainingLog(tmp_path / "retraining" / "log", "poems"), request.key, approve=True, **said)
    until(repaired, ended)
    assert only(repaired).status == "finished" and len(starts(tmp_path)) == 6


def test_a_command_that_cannot_be_started_is_a_failed_attempt(tmp_path: Path) -> None:
    made = trigger(tmp_path, FACTS, policy=replace(AUTOMATIC, retry_minutes=1))
    made._words = lambda request, run: ["/nonexistent/python"]
    made.receive([alert(FACTS)])
    assert "cannot be started: No such file" in made.look()[0]
    assert only(made).status == "open" and made.look() == [], "the next attempt comes later"


def test_a_request_waits_for_cool_down_and_budget_and_is_not_lost(tmp_path: Path) -> None:
    clock = [1.8e9]
    policy = replace(AUTOMATIC, cool_down_hours=24, budget_hours=100)
    made = trigger(tmp_path, FACTS, policy=policy, now=lambda: clock[0])
    made.receive([alert(FACTS)])
    until(made, ended)
    [decision] = made.receive([alert(FACTS, "a new group of users")])
    assert decision.action == "wait" and decision.reasons[0].startswith("cool-down of 24 h")
    made.look()
    assert len(starts(tmp_path)) == 1
    clock[0] += 24 * HOUR
    until(made, ended)
    assert len(starts(tmp_path)) == 2


def test_a_log_that_cannot_be_used_is_an_error_and_records_nothing(tmp_path: Path) -> None:
    made = trigger(tmp_path, FACTS)
    (tmp_path / "retraining").mkdir()
    (tmp_path / "retraining" / "log").write_text("a file in the place of the folder")
    with pytest.raises(BadInput, match="the log of the retraining trigger cannot be read"):
        made.receive([alert(FACTS)])
    (tmp_path / "retraining" / "log").unlink()
    assert made.receive([alert(FACTS)])[0].action == "start"
    until(made, ended)
    assert len(starts(tmp_path)) == 1


def test_a_trigger_killed_after_the_entry_starts_the_same_run(tmp_path: Path) -> None:
    made = trigger(tmp_path, FACTS)
    made._launcher.launch = lambda run, words: None  # type: ignore[method-assign]  # killed before the process began
    made.receive([alert(FACTS)])
    made.look()
    assert only(made).status == "running" and starts(tmp_path) == []
    again = trigger(tmp_path, FACTS)
    until(again, ended)
    assert only(again).status == "finished" and starts(tmp_path) == [only(again).runs[0].id]


def test_a_trigger_that_is_killed_at_any_moment_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Kill it up to three times between the alert and the end of the run. An alert that was answered is not sent again."""
    dice, longest = random.Random(1), 0.1
    kills = Counter[int]()  # by the number of entries that the log had then
    for number in range(KILLS):
        folder = tmp_path / str(number)
        folder.mkdir()

        def act(folder: Path = folder) -> None:
            made = trigger(folder, FACTS, 0.02)
            if not (folder / "answered").exists():
                made.receive([alert(FACTS)] * 2)
                (folder / "answered").touch()
            until(made, ended)

        for _ in range(3):
            was_killed = killed_after(dice.uniform(0, longest), act)
            kills[entries(folder)] += was_killed
            longest = min(1.0, longest * (1.1 if was_killed else 0.8))  # so that kills come at all moments
        act()
        request = only(trigger(folder, FACTS))
        assert request.status == "finished" and len(request.runs) == 1, json.dumps(request.why)
        assert starts(folder) == [request.runs[0].id]
        assert entries(folder) == 3
    print(f"killed in {KILLS} retrainings, by the number of entries: {dict(sorted(kills.items()))}")
    assert KILLS < 200 or (kills.total() > KILLS and all(kills[number] for number in range(3)))  # few rounds may miss the moments


def entries(folder: Path) -> int:
    return len(list((folder / "retraining" / "log").glob("[0-9]*.json")))
