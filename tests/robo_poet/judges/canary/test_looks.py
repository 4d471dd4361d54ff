"""The fast answers of the simulation are those of the judge."""

import random as python_random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.judges.canary.judge import judge
from robo_poet.judges.canary.observations import CANARY, CHAMPION, StepFacts, UserObservation
from robo_poet.judges.canary.policy import Guardrail, Policy
from tests.robo_poet.judges.canary.looks import looks
from tests.robo_poet.judges.canary.simulation import POLICY, SETTLE, Version, observations, traffic

HARMS = st.sampled_from([{}, {"errors": 0.1}, {"errors": 0.4}, {"slow": 0.3}, {"length": -0.5}, {"quality": 0.4}, {"ratings": 0.6}])
SMALL = replace(POLICY, min_users=40, min_minutes=10, guardrails={name: Guardrail(
    5 * rail.margin, rail.on_harm, rail.on_unknown) for name, rail in POLICY.guardrails.items()})  # fmt: skip


def ramp(seed: int, harms: dict[str, float], sizes: list[int], lost: float, returning: bool, policy: Policy) -> list[UserObservation]:
    """Return users of several steps. `lost`: share of the canary's users without an observation. `returning`: users come in each step."""
    seen: list[UserObservation] = []
    for step, size in enumerate(sizes):
        random = np.random.default_rng((seed, step))
        start = seen[-1].frozen if seen else 0.0
        new = observations(traffic(random, Version(harms), step, size, start, policy.steps[step]), step, 0 if returning else len(seen))
        seen += [user for user in new if user.arm == CHAMPION or random.random() >= lost]
    return seen


@given(
    st.integers(0, 10**6), HARMS, st.lists(st.integers(1, 60), min_size=1, max_size=4), st.sampled_from([0.0, 0.0, 0.7]), st.booleans(),
    st.sampled_from([POLICY, SMALL, replace(SMALL, max_hours=0.8), replace(SMALL, steps=(0.05, 0.25))]),
)  # fmt: skip
def test_the_answers_equal_the_judge_on_the_users_so_far(
    seed: int, harms: dict[str, float], sizes: list[int], lost: float, returning: bool, policy: Policy
) -> None:
    users = ramp(seed, harms, sizes[: len(policy.steps)], lost, returning, policy)
    if not users:
        return
    step = users[-1].step
    first = next(position for position, user in enumerate(users) if user.step == step)

    def facts_at(position: int) -> StepFacts:
        now = users[position].frozen + SETTLE
        return StepFacts(step, users[first].frozen - 1800, now, 0.0, {}, True, now)

    answers = looks(users, facts_at, policy, first)
    for position in python_random.Random(seed).sample(range(first, len(users)), min(8, len(users) - first)):
        verdict = judge(users[: position + 1], facts_at(position), policy, bounds=False)
        assert verdict.action == answers[position - first][0], (position, verdict.reasons)


@pytest.mark.parametrize(("harms", "end"), [({}, "promote"), ({"errors": 0.05}, "roll_back"), ({"ratings": 0.6}, "hold")])
def test_the_decision_of_a_long_step_is_that_of_the_judge(harms: dict[str, float], end: str) -> None:
    """Small examples rarely reach a decision. Here the answers before and after each change are compared, and some others."""
    policy, actions = replace(POLICY, steps=(0.5,)), set()
    users = ramp(3, harms, [2500], 0.0, False, policy)

    def facts_at(position: int) -> StepFacts:
        now = users[position].frozen + SETTLE
        return StepFacts(0, users[0].frozen - 1800, now, 0.0, {}, True, now)

    answers = [answer[0] for answer in looks(users, facts_at, policy)]
    changes = [at for at in range(1, len(answers)) if answers[at] != answers[at - 1]]
    for at in {*range(0, len(answers), 400), len(answers) - 1, *changes, *(change - 1 for change in changes)}:
        assert judge(users[: at + 1], facts_at(at), policy, bounds=False).action == answers[at]
        actions.add(answers[at])
    assert {"continue", end} <= actions


def test_the_arms_of_the_simulation_are_those_of_the_judge() -> None:
    columns = traffic(np.random.default_rng(1), Version(), 0, 50, 0.0, 0.5)
    assert {user.arm for user in observations(columns, 0, 0)} == {CANARY, CHAMPION}
