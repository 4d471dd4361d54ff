"""The journal of a replay: what did not happen in time fails the act."""

import pytest

from cli.replay.journal import Act, ActFailed, Event, Journal, clock


def journal(said: list[tuple[str, str]]) -> Journal:
    def note(act: Act, event: Event | None) -> None:
        said.append((act.status, event.text if event else ""))

    return Journal([Act("one", "first"), Act("two", "second")], lambda: None, note)


def test_acts_and_events_are_told_in_their_order() -> None:
    said: list[tuple[str, str]] = []
    told = journal(said)
    told.next_act()
    assert told.wait("it rains", lambda: 7, 1, lambda value: f"{value} mm") == 7
    told.next_act()
    told.next_act()
    assert said == [("running", ""), ("running", "it rains"), ("running", "it rains"), ("done", ""), ("running", ""), ("done", "")]
    assert [act.status for act in told.acts] == ["done", "done"] and told.acts[0].events[0].result == "7 mm"


def test_what_does_not_happen_fails_its_act_and_leaves_the_later_ones_waiting() -> None:
    told = journal([])
    told.next_act()
    with pytest.raises(ActFailed, match="it snows: it did not happen in 0 s") as error:
        told.wait("it snows", lambda: None, 0)
    told.end_early("failed", str(error.value))
    assert [act.status for act in told.acts] == ["failed", "waiting"]
    assert told.acts[0].events[0].ended and "it did not happen" in told.acts[0].events[0].result


def test_a_failed_program_ends_the_wait() -> None:
    def check() -> None:
        raise RuntimeError("serve ended")

    told = Journal([Act("one", "first")], check, lambda *_: None)
    told.next_act()
    with pytest.raises(RuntimeError, match="serve ended"):
        told.wait("it rains", lambda: None, 60)


def test_durations_are_minutes_and_seconds() -> None:
    assert [clock(seconds) for seconds in (0, 59.9, 61, 3600)] == ["0:00", "0:59", "1:01", "60:00"]
