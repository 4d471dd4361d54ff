"""The guardrail of the length alone, if users have no completion: rates of harm found and harm excluded (docs/explanation/canary.md).

Covers: guardrails, findings.
"""

import os

import numpy as np
import pytest

from robo_poet.judges.canary.findings import course_of
from robo_poet.judges.canary.guardrails import comparable
from robo_poet.outcomes.observations import UserObservation
from tests.robo_poet.judges.canary.simulation import POLICY, Version, observations, traffic

SOAK = bool(os.environ.get("ROBO_POET_SOAK"))
RUNS = 400 if SOAK else 12
FOUND, EXCLUDED = 0.01, 0.055  # of 400: the allowed 0.7 % and 4 %, and their standard errors
FEW = 2  # of 12 runs with fixed seeds. With the length 0 for a user without a completion, some rows have 6 to 12
USERS, STEPS = 2_400, 4


def users(seed: int, version: Version, canary_fails: float, champion_fails: float) -> list[UserObservation]:
    """Return the users of four steps. Of a share of each arm's users, all requests fail."""
    seen: list[UserObservation] = []
    now, count = 8 * 3600.0, USERS // STEPS
    for step in range(STEPS):
        random = np.random.default_rng((seed, step))
        columns = traffic(random, version, step, count, now, POLICY.steps[step])
        for canary, share in ((True, canary_fails), (False, champion_fails)):
            failing = (columns["canary"] == canary) & (random.random(count) < share)
            columns["failed"] = np.where(failing, columns["requests"], columns["failed"])
            for name in ("completions", "refused", "slow", "degenerate", "length"):
                columns[name] = np.where(failing, 0, columns[name])
        seen += observations(columns, step, len(seen))
        now = seen[-1].frozen
    return seen


@pytest.mark.parametrize(
    ("change", "canary_fails", "champion_fails"),
    [
        (0, 0, 0), (0, 0, 0.2), (0, 0.2, 0), (0, 0.6, 0), (-0.1, 0, 0), (-0.1, 0.04, 0), (-0.1, 0, 0.04), (0.1, 0.04, 0), (0.1, 0, 0.04),
        (-0.1, 0, 0.2), (0.1, 0, 0.2),
    ],
)  # fmt: skip
def test_users_without_a_completion_neither_imitate_nor_hide_a_change(change: float, canary_fails: float, champion_fails: float) -> None:
    version = Version({"length": change})
    courses = [course_of("length", comparable(users(seed, version, canary_fails, champion_fails), POLICY), POLICY) for seed in range(RUNS)]
    found, excluded = (sum(bool(flags.any()) for flags in kind) for kind in ([c.harmful for c in courses], [c.safe for c in courses]))
    print(f"length {change:+.0%}, failing {canary_fails:.0%} and {champion_fails:.0%}: found {found}, excluded {excluded} of {RUNS}")
    wrong, limit = (excluded, EXCLUDED) if change else (found, FOUND)
    assert wrong <= (limit * RUNS if SOAK else FEW if change else 0)
    assert min(float(course.estimate.min()) for course in courses) >= -1
