from hypothesis import given
from hypothesis import strategies as st

from serving.telemetry.audience import DAY_SECONDS, Sessions

GAP = 1800.0
VISITS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from([0.0, 1.0, 60.0, 900.0, 1799.0, 1801.0, 4000.0, 90_000.0])), max_size=60
)


def test_a_gap_ends_a_session() -> None:
    sessions = Sessions(GAP, 10)
    assert sessions.record("a", 0) == []
    assert sessions.record("a", 1000) == []
    assert sessions.record("b", 2799) == []
    assert sessions.record("b", 2801) == [1000.0]
    assert sessions.count_active(300, 2801) == 1
    assert sessions.count_active(DAY_SECONDS, 2801) == 2
    assert sessions.pop_ended(10_000) == [2.0]
    assert sessions.pop_ended(10_000) == []


@given(VISITS)
def test_sessions_and_active_users_match_their_definition(visits: list[tuple[str, float]]) -> None:
    sessions, now, lengths = Sessions(GAP, 100), 0.0, []
    by_user: dict[str, list[float]] = {}
    for user, later in visits:
        now += later
        lengths += sessions.record(user, now)
        by_user.setdefault(user, []).append(now)
    for window in (300.0, DAY_SECONDS):
        assert sessions.count_active(window, now) == sum(times[-1] > now - window for times in by_user.values())
    lengths += sessions.pop_ended(float("inf"))
    expected = []
    for times in by_user.values():
        began = last = times[0]
        for at in times[1:]:
            if at - last > GAP:
                expected.append(last - began)
                began = at
            last = at
        expected.append(last - began)
    assert sorted(lengths) == sorted(expected)


@given(VISITS, st.integers(1, 3))
def test_memory_is_bounded_and_no_session_is_lost(visits: list[tuple[str, float]], limit: int) -> None:
    sessions, now, ended = Sessions(GAP, limit), 0.0, 0
    for user, later in visits:
        now += later
        ended += len(sessions.record(user, now))
        assert len(sessions) <= limit
        assert 1 <= sessions.count_active(DAY_SECONDS, now) <= limit
    ended += len(sessions.pop_ended(float("inf")))
    assert ended >= len({user for user, _ in visits})


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(-1e6, 1e6)), min_size=1, max_size=30))
def test_a_clock_that_jumps_gives_no_negative_length(visits: list[tuple[str, float]]) -> None:
    sessions, lengths = Sessions(GAP, 10), []
    for user, at in visits:
        lengths += sessions.record(user, at)
    assert sessions.count_active(300, -1e9) >= 1  # time stands still
    lengths += sessions.pop_ended(float("inf"))
    assert all(0 <= length <= 2e6 for length in lengths)


def test_users_are_removed_after_a_day() -> None:
    sessions = Sessions(GAP, 10)
    sessions.record("a", 0)
    assert sessions.pop_ended(DAY_SECONDS + 1) == [0.0]
    assert len(sessions) == 0
