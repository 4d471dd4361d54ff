"""The judge of retraining. Covers: policy, state."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from robo_poet.judges.retraining.decision import Alert, Decision, Facts, decide, next_step, spent_hours
from robo_poet.judges.retraining.policy import RetrainingPolicy
from robo_poet.judges.retraining.state import Event, Key, State, fold

KEY = Key("poems", 1, "0123456789abcdef", "the world changed")
OTHER = replace(KEY, cause="a new group of users")
FACTS = Facts("poems", 1, "0123456789abcdef")
AUTOMATIC = RetrainingPolicy(enabled="automatic", cool_down_hours=24, budget_hours=10, run_hours=2, attempts=2, retry_minutes=10)
ASK = replace(AUTOMATIC, enabled="ask")
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp()
HOUR = 3600.0


def event(action: str, at: float = NOON, key: Key = KEY, **details: object) -> Event:
    return Event(action, key, at, "ada", "test", **details)  # type: ignore[arg-type]


def after(*events: Event) -> State:
    return fold(events)


def answer(state: State, policy: RetrainingPolicy = AUTOMATIC, key: Key = KEY, facts: Facts = FACTS, now: float = NOON) -> Decision:
    return decide(state, Alert(key, True, "2026-03-10T12:00:00Z"), facts, policy, now)


def step(state: State, policy: RetrainingPolicy = AUTOMATIC, key: Key = KEY, facts: Facts = FACTS, now: float = NOON) -> Decision:
    request = state.request(key)
    assert request is not None
    return next_step(state, request, facts, policy, now)


def run(key: Key, at: float, hours: float, *, action: str = "finished", name: str = "r1") -> list[Event]:
    return [event("asked", at, key), event("started", at, key, run=name), event(action, at + hours * HOUR, key, run=name, hours=hours)]


def test_a_first_alert_starts_a_run_or_asks_a_person() -> None:
    assert answer(State()).action == "start" and answer(State()).evidence["budget_hours"] == 10
    assert answer(State(), ASK).action == "wait_for_approval"
    approved = after(event("asked"), event("approved"))
    assert step(approved, ASK).action == "start" and step(approved, ASK).reasons == ("the world changed; ada approved it",)


@pytest.mark.parametrize(
    ("cause", "action"),
    [
        ("the world changed", "start"),
        ("a new group of users", "start"),
        ("broken or hostile input", "refuse"),
        ("the model itself", "wait_for_approval"),
        ("unknown", "wait_for_approval"),
    ],
)
def test_the_cause_decides_who_decides(cause: str, action: str) -> None:
    assert answer(State(), key=replace(KEY, cause=cause)).action == action


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (Facts("poems", 2, KEY.baseline), "version 1 is not the champion any more; version 2 is champion"),
        (Facts("poems", None, ""), "version 1 is not the champion any more; there is no champion"),
        (Facts("poems", 1, "f" * 16), "the baseline of version 1 was replaced after the alert"),
    ],
)
def test_a_late_alert_is_refused_and_so_is_a_request_that_waited_too_long(facts: Facts, reason: str) -> None:
    for decision in (answer(State(), facts=facts), step(after(event("asked"), event("approved")), ASK, facts=facts)):
        assert (decision.action, decision.reasons) == ("refuse", (reason,))


def test_resolved_alerts_and_those_of_other_models_are_ignored() -> None:
    assert decide(State(), Alert(KEY, False, ""), FACTS, AUTOMATIC, NOON).action == "ignore"
    assert answer(State(), key=replace(KEY, model="plays")).reasons == ("this trigger retrains poems, not plays",)


def test_off_refuses_and_a_later_alert_may_ask_again() -> None:
    off = replace(AUTOMATIC, enabled="off")
    assert answer(State(), off).action == "refuse"
    refused = after(event("asked"), event("refused", rule=True))
    assert answer(refused, off).action == "duplicate" and answer(refused).action == "start"
    again = fold([event("asked"), event("started", run="r1")], refused)
    assert [request.status for request in again.requests] == ["running"]


def test_an_approval_ends_with_the_refusal_by_a_rule() -> None:
    again = after(event("asked"), event("approved"), event("refused", rule=True), event("asked"))
    assert step(again, ASK).action == "wait_for_approval"


@pytest.mark.parametrize(
    "events",
    [
        [event("asked")],
        [event("asked"), event("approved")],
        [event("asked"), event("refused")],
        [event("asked"), event("started", run="r1")],
        run(KEY, NOON, 1),
        run(KEY, NOON, 1, action="failed"),
    ],
)
def test_a_second_alert_about_a_cause_is_a_duplicate(events: list[Event]) -> None:
    for days in (0, 1, 400):
        assert answer(after(*events), now=NOON + days * 24 * HOUR).action == "duplicate"


def test_only_one_run_goes_on() -> None:
    state = after(event("asked"), event("started", run="r1"), event("asked", key=OTHER))
    assert step(state, key=OTHER).reasons[0] == "the run of request 1 goes on"
    with pytest.raises(ValueError, match="request 1 runs already"):
        fold([event("started", key=OTHER, run="r2")], state)


def test_another_cause_waits_for_the_end_of_the_cool_down() -> None:
    state = fold([event("asked", key=OTHER)], after(*run(KEY, NOON - 2 * HOUR, 1)))
    end = NOON - HOUR + 24 * HOUR
    assert step(state, key=OTHER, now=end - 1).reasons == ("cool-down of 24 h after the last run, until 2026-03-11 11:00 UTC",)
    assert step(state, key=OTHER, now=end).action == "start"


def test_a_failed_attempt_is_repeated_later_and_not_for_ever() -> None:
    once = after(*run(KEY, NOON - HOUR, 1, action="failed"))
    assert step(once, now=NOON + 599).reasons == ("attempt 1 failed (test); the next one is at 2026-03-10 12:10 UTC",)
    assert step(once, now=NOON + 600).action == "start"
    twice = fold([event("started", NOON + 600, run="r2"), event("failed", NOON + 700, run="r2", hours=0.1)], once)
    assert step(twice, now=NOON + HOUR).reasons == ("2 attempts failed; the last: test",)
    assert [AUTOMATIC.retry_seconds(failed) for failed in (1, 2, 3)] == [600, 1200, 2400]


def test_a_person_can_give_new_attempts_without_a_wait() -> None:
    failed = [event("asked"), *(e for name in ("r1", "r2") for e in run(KEY, NOON, 0, action="failed", name=name)[1:])]
    given_up = after(*failed, event("refused", rule=True))
    assert answer(given_up).action == "duplicate"
    again = fold([event("approved")], given_up)
    assert step(again).action == "start"
    third = fold([event("started", run="r3"), event("failed", NOON, run="r3")], again)
    assert step(third, now=NOON).action == "wait" and step(third, now=NOON + 600).action == "start"


def test_the_budget_is_that_of_the_month() -> None:
    state = fold([event("asked", key=OTHER)], after(*run(KEY, NOON - 48 * HOUR, 8.5)))
    spent = step(state, key=OTHER)
    assert spent.reasons == (
        "budget of the month: 8.5 h of 10 h are used, and a run needs 2 h; the next month starts at 2026-04-01 00:00 UTC",
    )
    april = datetime(2026, 4, 1, tzinfo=UTC).timestamp()
    assert step(state, key=OTHER, now=april - 1).action == "wait" and step(state, key=OTHER, now=april).action == "start"
    assert spent_hours(state, AUTOMATIC, NOON - 60 * 24 * HOUR) == 8.5, "a clock that was set back gives no second budget"


def test_a_run_that_goes_on_counts_with_its_expected_hours_or_more() -> None:
    state = after(event("asked"), event("started", run="r1"))
    assert [spent_hours(state, AUTOMATIC, NOON + hours * HOUR) for hours in (0.5, 5)] == [2, 5]


@pytest.mark.parametrize(
    "events",
    [
        [event("approved")],
        [event("asked"), event("asked")],
        [event("asked"), event("approved"), event("approved")],
        [event("asked"), event("refused"), event("asked")],
        [event("asked"), event("refused"), event("approved")],
        [event("asked"), event("refused", rule=True), event("started", run="r1")],
        [event("asked"), event("started")],
        [event("asked"), event("started", run="r1"), event("approved")],
        [event("asked"), event("started", run="r1"), event("finished", run="r2")],
        [*run(KEY, NOON, 1), event("failed", run="r1")],
        [*run(KEY, NOON, 1), event("asked", key=OTHER), event("started", key=OTHER, run="r1")],
        [event("asked", at=float("nan"))],
        [event("forgotten")],
    ],
)
def test_entries_that_contradict_the_state_are_refused(events: list[Event]) -> None:
    with pytest.raises(ValueError, match="^entry "):
        after(*events)


@pytest.mark.parametrize(
    "change",
    [
        {"enabled": "yes"},
        {"attempts": 0},
        {"cool_down_hours": -1},
        {"run_hours": 11},
        {"budget_hours": float("inf")},
        {"refused_causes": ("the world changed",)},
    ],
)
def test_a_policy_without_sense_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(change)).replace("refused_causes", "causes").replace("run_hours", "budget_hours")):
        replace(AUTOMATIC, **change)  # type: ignore[arg-type]
