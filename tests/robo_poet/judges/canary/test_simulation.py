"""The error rates of the whole judge, by simulation (SERVE-5)."""

import functools
import os

import pytest

from robo_poet.judges.canary.judge import judge
from tests.robo_poet.judges.canary.simulation import POLICY, Outcome, Version, release

SOAK = bool(os.environ.get("ROBO_POET_SOAK"))
RUNS = 2000 if SOAK else 12
SLACK = 0.0 if SOAK else 0.25  # 12 runs have a standard error of 8 points
CONFIRMED = 4  # every so many releases, the judge itself is asked again at the decision


@functools.cache
def simulate(first: int, users: int, *harms: tuple[str, float]) -> tuple[Outcome, ...]:
    """Return the outcomes of RUNS releases, without their observations."""
    outcomes = []
    for run in range(RUNS):
        outcome = release(first + run, Version(dict(harms)), users)
        if run % CONFIRMED == 0:
            assert judge(outcome.observations, outcome.facts, POLICY, bounds=False).action == outcome.action
        outcomes.append(outcome.without_observations())
    return tuple(outcomes)


def share(hits: list[bool]) -> float:
    print(f"{sum(hits)} of {len(hits)}")
    return sum(hits) / len(hits)


def test_six_per_cent_of_errors_are_rolled_back_early() -> None:
    outcomes = simulate(100_000, 2500, ("errors", 0.05))
    assert share([o.action == "roll_back" and o.canary_users <= 400 for o in outcomes]) >= 0.95 - SLACK


def test_an_equal_version_is_promoted() -> None:
    assert share([o.action == "promote" for o in simulate(200_000, 5000)]) >= 0.90 - SLACK


def test_an_equal_version_is_rarely_rolled_back() -> None:
    assert share([o.action == "roll_back" for o in simulate(200_000, 5000)]) <= 0.05 + SLACK


@pytest.mark.parametrize(
    ("name", "margin"),
    [("errors", 0.02), ("refusals", 0.02), ("slow", 0.05), ("degenerate", 0.03), ("length", -0.1), ("length", 0.1), ("quality", 0.05)],
)
def test_a_version_at_a_margin_is_rarely_promoted(name: str, margin: float) -> None:
    assert abs(margin) == POLICY.guardrails[name].margin
    assert share([o.action == "promote" for o in simulate(300_000, 8000 if SOAK else 2500, (name, margin))]) <= 0.05 + SLACK
