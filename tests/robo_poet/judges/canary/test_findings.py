from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.judges.canary.findings import course_of, find, finding_at
from robo_poet.judges.canary.guardrails import comparable
from robo_poet.judges.canary.policy import DEFAULT_GUARDRAILS, Policy
from tests.robo_poet.judges.canary.test_judge import users

POLICY = Policy()


@given(st.integers(0, 1000), st.integers(1, 400), st.sampled_from([{}, {"failed": 0.5}, {"length": 0.2}, {"rating": -1.0}]), st.data())
def test_a_course_says_what_was_known_after_each_user(seed: int, count: int, harm: dict[str, float], data: st.DataObject) -> None:
    some = users(count, seed=seed, **harm)
    compared = comparable(some, POLICY)
    for name in POLICY.guardrails:
        course = course_of(name, compared, POLICY)
        if course is None:
            assert find(name, compared, POLICY).users == 0
            continue
        at = data.draw(st.integers(0, len(course.positions) - 1))
        before = replace(compared, users=compared.users[: course.positions[at] + 1])
        before = replace(before, canary=compared.canary[: len(before.users)], shares=compared.shares[: len(before.users)])
        before = replace(before, steps=compared.steps[: len(before.users)])
        then, now = find(name, before, POLICY, bounds=False), finding_at(name, course, POLICY, at, bounds=False)
        assert (then.users, then.harmful, then.safe, then.needed) == (now.users, now.harmful, now.safe, now.needed)
        assert (then.estimate, then.recent) == (pytest.approx(now.estimate), pytest.approx(now.recent))


@given(st.integers(0, 1000), st.integers(1, 60), st.sampled_from([{}, {"failed": 0.9}, {"length": 0.0}, {"refused": 1.0}]))
def test_no_estimate_and_no_bound_is_impossible(seed: int, count: int, harm: dict[str, float]) -> None:
    """With 5 % of the users, a user of the canary stands for twenty: unlimited, the first lengths are -1,000 % and less."""
    compared = comparable(users(count, seed=seed, steps=1, **harm), POLICY)
    for name in POLICY.guardrails:
        found = find(name, compared, POLICY)
        values = [value for value in (found.estimate, found.recent, found.low, found.high) if value is not None]
        assert all(value >= -1 for value in values) and (name == "length" or all(value <= 1 for value in values))


def test_a_statement_that_was_rejected_stays_rejected() -> None:
    course = course_of("errors", comparable(users(3000), POLICY), POLICY)
    assert course is not None and course.safe[-1]
    assert (np.diff(course.safe.astype(int)) >= 0).all() and (np.diff(course.proven.astype(int)) >= 0).all()


@pytest.mark.parametrize("name", DEFAULT_GUARDRAILS)
def test_bounds_agree_with_the_tests_and_the_estimate(name: str) -> None:
    finding = find(name, comparable(users(2500, rating=0.0), POLICY), POLICY)
    assert finding.low is not None and finding.high is not None and finding.estimate is not None
    assert finding.low <= finding.estimate <= finding.high
    if finding.safe and finding.measure.form != "relative":
        assert finding.high <= finding.guardrail.margin and finding.needed == 0
