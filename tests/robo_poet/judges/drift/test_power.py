"""How often drifts are found, and how often unchanged traffic is called a drift (MON-4). docs/explanation/drift.md has the table."""

import numpy as np
import pytest

from robo_poet.judges.drift.baseline import make_baseline
from robo_poet.judges.drift.judge import judge_drift
from robo_poet.judges.drift.policy import DriftPolicy
from tests.robo_poet.judges.drift.traffic import shifted, window

pytestmark = pytest.mark.soak


def found(users: int, by: float, deviation: float, runs: int, seed: int, days: int = 3) -> float:
    """Return the share of runs in which one of the first `days` days ends with a drift."""
    dice, hits = np.random.default_rng(seed), 0
    for _ in range(runs):
        made = make_baseline([window(dice, day, users, deviation=deviation) for day in range(7)])
        windows = [window(dice, 10 + day, users, deviation=deviation, change=shifted(by)) for day in range(days)]
        hits += any(judge_drift(windows[max(0, day - 2) : day], made, DriftPolicy()).action == "drift" for day in range(2, days + 1))
    return hits / runs


@pytest.mark.parametrize(("users", "by", "deviation"), [(1000, 0.25, 0.5), (1000, 0.25, 0.8), (300, 0.3, 0.5), (300, 0.3, 0.65)])
def test_a_drift_is_found_within_three_days(users: int, by: float, deviation: float) -> None:
    assert found(users, by, deviation, runs=300, seed=users) >= 0.93  # 0.95 is promised; 0.93 allows for chance


@pytest.mark.parametrize("by", [0.0, 0.05])
def test_a_small_rise_is_no_drift_for_years(by: float) -> None:
    """40 runs of 90 days: ten years. At most one false drift in 1,000 months is promised; the expected number here is below 0.2."""
    assert found(300, by, 0.8, runs=40, seed=5, days=90) == 0
