"""How often drifts of real users are found. `python -m tests.robo_poet.judges.drift.power` prints the tables of docs/explanation/drift.md."""

import sys
from collections.abc import Sequence

import numpy as np

from robo_poet.judges.drift.baseline import make_baseline
from robo_poet.judges.drift.judge import judge_drift
from robo_poet.judges.drift.observations import UserScore
from robo_poet.judges.drift.policy import DriftPolicy
from tests.robo_poet.judges.drift.real_users import Shift, day_of, risen, spread, stretched, users_of_the_plays

MONTH = 30  # days
RISES = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)


def drifts(
    pool: Sequence[UserScore], users: int, days: int, runs: int, seed: int, shift: Shift | None, before: Shift | None = None
) -> list[int]:
    """Return for each run the number of drifts that begin in its days.

    Args:
        users: of a day; the baseline has seven such days.
        shift, before: the change of the scores in these days, and in those of the baseline.
    """
    dice, policy, counts = np.random.default_rng(seed), DriftPolicy(), []
    for _ in range(runs):
        baseline = make_baseline([day_of(pool, dice, day, users, before) for day in range(7)])
        windows = [day_of(pool, dice, 10 + day, users, shift) for day in range(days)]
        verdicts = [judge_drift(windows[max(0, day - 2) : day], baseline, policy).action == "drift" for day in range(1, days + 1)]
        counts.append(sum(verdict and not earlier for verdict, earlier in zip(verdicts, [False, *verdicts], strict=False)))
    return counts


def share_found(pool: Sequence[UserScore], users: int, by: float, runs: int, seed: int = 1) -> float:
    """Return the share of runs in which a rise is found within three days."""
    return sum(count > 0 for count in drifts(pool, users, 3, runs, seed, risen(by))) / runs


def main(runs: int) -> None:
    """Print a row for each number of users and rise; the columns are the scores as they are, and stretched."""
    real = users_of_the_plays()
    pools = {f"as they are ({spread(real):.2f} nats)": real} | {f"{sd} nats": stretched(real, sd) for sd in (0.5, 0.8)}
    print(f"{len(real)} users\n| users a day | true rise | {' | '.join(pools)} |\n|---|---|{'---|' * len(pools)}")
    for users in (300, 1000):
        for by in RISES:
            shares = (f"{share_found(pool, users, by, runs):.0%}" for pool in pools.values())
            print(f"| {users:,} | {by:+.0%} | {' | '.join(shares)} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
