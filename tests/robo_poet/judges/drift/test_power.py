"""How often drifts are found, and how often unchanged traffic is called a drift (MON-4), with the scores of real users.

docs/explanation/drift.md has the tables.
"""

import numpy as np
import pytest

from tests.robo_poet.judges.drift.power import MONTH, drifts, share_found
from tests.robo_poet.judges.drift.real_users import day_and_night, risen, spread, stretched, users_of_the_plays

PROMISED = ((1000, 0.25), (300, 0.3))  # users a day, true rise


def test_the_users_are_real_and_differ_as_much_as_expected() -> None:
    users = users_of_the_plays()
    assert len(users) > 2_000 and spread(users) == pytest.approx(0.649, abs=0.02) and len({user.value("length") for user in users}) >= 4
    wide = stretched(users, 0.8)
    assert spread(wide) == pytest.approx(0.8) and np.mean([u.nats for u in wide]) == pytest.approx(np.mean([u.nats for u in users]))


@pytest.mark.parametrize(
    ("users", "by", "runs"), [(1000, 0.25, 30), (300, 0.3, 100), *(pytest.param(*case, 1000, marks=pytest.mark.soak) for case in PROMISED)]
)
def test_a_drift_is_found_within_three_days(users: int, by: float, runs: int) -> None:
    assert share_found(users_of_the_plays(), users, by, runs) >= 0.95


@pytest.mark.soak
@pytest.mark.parametrize(("users", "by", "deviation"), [(1000, 0.25, 0.8), (300, 0.3, 0.65)])
def test_a_drift_of_users_that_differ_more_is_found_too(users: int, by: float, deviation: float) -> None:
    assert share_found(stretched(users_of_the_plays(), deviation), users, by, 400) >= 0.93  # 0.95 is promised; 0.93 allows for chance


@pytest.mark.parametrize("months", [5, pytest.param(1000, marks=pytest.mark.soak)])
def test_a_rise_of_five_per_cent_is_a_drift_at_most_once_in_1000_months(months: int) -> None:
    counts = drifts(users_of_the_plays(), 300, MONTH, months, 2, risen(0.05))
    assert sum(counts) <= 1


@pytest.mark.parametrize("runs", [1, pytest.param(40, marks=pytest.mark.soak)])
def test_day_and_night_are_at_most_one_drift_in_three_months(runs: int) -> None:
    counts = drifts(users_of_the_plays(), 300, 3 * MONTH, runs, 3, day_and_night, before=day_and_night)
    assert max(counts) <= 1 and sum(counts) <= max(1, runs // 20)
