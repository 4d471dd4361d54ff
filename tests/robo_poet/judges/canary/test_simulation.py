"""The judge's error rates and its speed, by simulation (SERVE-5). Covers `effects` and `judge` end to end."""

import os

import numpy as np
import pytest

from tests.robo_poet.judges.canary.simulation import NEVER, Outcome, release

SOAK = bool(os.environ.get("ROBO_POET_SOAK"))
RUNS = 2000 if SOAK else 30
SLACK = 0.0 if SOAK else 0.15  # 30 runs have a standard error of 4 points


def simulate(seed: int, harms: dict[str, float], users: int) -> list[Outcome]:
    random = np.random.default_rng(seed)
    return [release(random, harms, users) for _ in range(RUNS)]


def share(hits: list[bool]) -> float:
    print(f"{sum(hits)} of {len(hits)}")
    return sum(hits) / len(hits)


def test_six_per_cent_of_errors_are_rolled_back_early() -> None:
    outcomes = simulate(1, {"errors": 0.05}, 2500)
    assert share([o.rolled_back <= 2500 and o.canary_users <= 400 for o in outcomes]) >= 0.95 - SLACK


def test_an_equal_version_is_promoted_and_rarely_rolled_back() -> None:
    outcomes = simulate(2, {}, 5000)
    assert share([o.promoted <= 5000 for o in outcomes]) >= 0.90 - SLACK
    assert share([o.rolled_back < NEVER for o in outcomes]) <= 0.05 + SLACK


@pytest.mark.parametrize(("name", "margin"), [("errors", 0.02), ("slow", 0.05), ("degenerate", 0.03)])
def test_a_version_at_a_margin_is_rarely_promoted(name: str, margin: float) -> None:
    outcomes = simulate(3, {name: margin}, 8000)
    assert share([o.promoted < NEVER for o in outcomes]) <= 0.05 + SLACK
