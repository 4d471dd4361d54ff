"""Tests of the state machine of restarts, over random histories of a program."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.supervisor.restarts import Backoff, Restarts, State

# A run: seconds until it is ready (None: it ends before), seconds from then to its end, and whether a signal ended it.
RUNS = st.lists(
    st.tuples(st.none() | st.floats(0, 200), st.floats(0, 1000), st.booleans()), min_size=1, max_size=40,
)  # fmt: skip
BACKOFF = Backoff()


def histories(runs: list[tuple[float | None, float, bool]]) -> list[Restarts]:
    """Return the state after each end, up to the first failure."""
    restarts, now, states = Restarts(), 0.0, []
    for ready_after, lasts, killed in runs:
        now = max(now, restarts.due)
        assert restarts.may_start(now)
        restarts = restarts.started(now)
        assert not restarts.may_start(now)
        if ready_after is not None:
            now += ready_after
            restarts = restarts.ready(now)
        now += lasts
        restarts = restarts.ended(now, killed=killed)
        states.append(restarts)
        if restarts.state is State.FAILED:
            break
        assert restarts.may_start(now) == (restarts.due <= now)
    return states


@given(RUNS)
def test_each_wait_is_within_its_limit(runs: list[tuple[float | None, float, bool]]) -> None:
    for (ready_after, _, _), after in zip(runs, histories(runs), strict=False):
        if after.state is State.WAITING:
            assert 0 <= after.due - after.since <= (BACKOFF.longest if ready_after is None else BACKOFF.longest_after_ready) + 1e-6


@given(RUNS)
def test_a_program_that_was_ready_once_is_restarted_for_ever(runs: list[tuple[float | None, float, bool]]) -> None:
    states = histories([(0.5, 1.0, False), *runs])
    assert len(states) == len(runs) + 1 and all(after.state is State.WAITING for after in states)


@given(RUNS)
def test_a_healthy_run_resets_the_wait(runs: list[tuple[float | None, float, bool]]) -> None:
    after = histories([(0.5, 1.0, False), *runs, (1.0, BACKOFF.healthy + 1, True)])[-1]
    assert after.failures == 1 and after.due == after.since


@pytest.mark.parametrize(("ready_after", "limit"), [(None, BACKOFF.longest), (1.0, BACKOFF.longest_after_ready)])
def test_the_wait_doubles_up_to_its_limit(ready_after: float | None, limit: float) -> None:
    waits = [round(after.due - after.since, 6) for after in histories([(1.0, 1.0, True), *[(ready_after, 0.0, True)] * 40])[1:]]
    assert waits[0] == BACKOFF.first and waits[-1] == limit
    assert all(later == min(2 * before, limit) for before, later in itertools.pairwise(waits))


@given(st.integers(1, 10**9), st.booleans())
def test_a_wait_is_finite_after_any_number_of_failures(failures: int, was_ready: bool) -> None:
    assert 0 <= BACKOFF.wait(failures, was_ready) <= BACKOFF.longest


def test_a_program_that_ends_before_it_was_ever_ready_fails() -> None:
    assert [after.state for after in histories([(None, 1.0, False)] * 3)] == [State.FAILED]


def test_a_program_that_is_killed_before_it_was_ever_ready_is_started_three_times() -> None:
    assert [after.state for after in histories([(None, 1.0, True)] * 5)] == [State.WAITING, State.WAITING, State.FAILED]
