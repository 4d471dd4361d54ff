import numpy as np
import pytest

from robo_poet.judges.canary.guardrails import MEASURES, comparable, effects_of
from robo_poet.judges.canary.observations import CANARY, CHAMPION, UserObservation
from robo_poet.judges.canary.policy import DEFAULT_GUARDRAILS, Policy


def observed(user: str, step: int, arm: str = CHAMPION, **values: float) -> UserObservation:
    counts = {"requests": 10, "failed": 0, "refused": 0, "completions": 10, "slow": 0, "degenerate": 0, "length": 8.0, "quality": None}
    return UserObservation(step=step, arm=arm, user=user, frozen=float(step), **{**counts, **values})  # type: ignore[arg-type]


def test_a_user_who_keeps_the_canary_cannot_be_compared_again() -> None:
    users = [observed("a", 0, CANARY), observed("b", 0), observed("a", 1, CANARY), observed("b", 1), observed("c", 1, CANARY)]
    compared = comparable(users, Policy())
    assert [(user.user, user.step) for user in compared.users] == [("a", 0), ("b", 0), ("b", 1), ("c", 1)]
    assert compared.shares.tolist() == pytest.approx([0.05, 0.05, (0.25 - 0.05) / 0.95, 0.25])
    by_hand = comparable(users, Policy(), {0: 0.1, 1: 0.5})  # a person can set other shares than the policy
    assert by_hand.shares.tolist() == pytest.approx([0.1, 0.1, (0.5 - 0.1) / 0.9, 0.5])


def test_effects_of_returning_users_are_unbiased() -> None:
    """Every user comes back in every step. Weights by the plain share would see a difference between equal versions."""
    random, policy, means = np.random.default_rng(1), Policy(), []
    for _ in range(200):
        points, tendency = random.random(60), random.random(60)
        users = [
            observed(f"{n}", step, CANARY if points[n] < share else CHAMPION, failed=int(random.binomial(10, tendency[n])))
            for step, share in enumerate(policy.steps) for n in range(60)
        ]  # fmt: skip
        measured = effects_of(MEASURES["errors"], comparable(users, policy), 0.02)
        means.append(float(measured.effects.estimates.mean()))
    assert np.mean(means) == pytest.approx(0, abs=4 * np.std(means) / np.sqrt(200))


def test_a_user_without_a_completion_has_no_length_and_no_rating() -> None:
    users = comparable([observed("a", 0, failed=10, completions=0, length=0.0)], Policy())
    assert MEASURES["length"].value(users.users[0]) is None
    counted = {name: effects_of(MEASURES[name], users, 0.1).effects.users for name in ("length", "ratings", "errors")}
    assert counted == {"length": 0, "ratings": 0, "errors": 1}


def test_what_is_not_possible_is_cut() -> None:
    harms = np.array([-3.0, 0.2, 3.0])
    assert MEASURES["errors"].possible(harms).tolist() == [-1, 0.2, 1] and MEASURES["length"].possible(harms).tolist() == [-1, 0.2, 3]


def test_a_user_in_two_steps_at_once_keeps_the_larger_share() -> None:
    users = [observed("a", 0), observed("a", 1), observed("a", 0), observed("a", 2)]
    assert comparable(users, Policy()).shares.tolist() == pytest.approx([0.05, 0.2 / 0.95, (0.5 - 0.25) / 0.75])


def test_every_guardrail_of_the_policy_has_a_measure() -> None:
    assert list(MEASURES) == list(DEFAULT_GUARDRAILS)
