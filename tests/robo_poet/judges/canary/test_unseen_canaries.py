"""Canaries and clients that the judge was not made for, each with the verdict that is right. Figures: docs/explanation/canary.md."""

import os
from collections import Counter

import numpy as np
import pytest

from tests.robo_poet.judges.canary.simulation import Change, Columns, Version, release

RUNS = 200 if os.environ.get("ROBO_POET_SOAK") else 6
USERS = 5000
Rows = np.ndarray


def fail(columns: Columns, some: Rows) -> None:
    """Let all requests of some users fail."""
    columns["failed"] = np.where(some, columns["requests"], columns["failed"])
    for name in ("completions", "refused", "slow", "degenerate", "length"):
        columns[name] = np.where(some, 0, columns[name])


def failing_for(share: float) -> Change:
    """A version that always fails for a share of the users."""
    return lambda random, columns, canary: fail(columns, canary & (random.random(len(canary)) < share))


def repaired(random: np.random.Generator, columns: Columns, canary: Rows) -> None:
    """The champion always fails for a fifth of the users, and the version does not."""
    fail(columns, ~canary & (random.random(len(canary)) < 0.2))


def slow_in_long_requests(random: np.random.Generator, columns: Columns, canary: Rows) -> None:
    """Half as fast again in long requests only: a tenth of the users send them, and 35 % of theirs become slow."""
    some = canary & (random.random(len(canary)) < 0.1)
    columns["slow"] = np.where(some, np.maximum(columns["slow"], random.binomial(columns["completions"], 0.35)), columns["slow"])


def hostile(random: np.random.Generator, columns: Columns, canary: Rows) -> None:
    """One user of the canary sends twenty requests that all fail, in each step."""
    some = np.arange(len(canary)) == np.flatnonzero(canary)[0] if canary.any() else canary
    columns["requests"] = np.where(some, 20, columns["requests"])
    fail(columns, some)


def retried(random: np.random.Generator, columns: Columns, canary: Rows) -> None:
    """One canary user in fifteen gets no answer, tries three times, and gives up: no failure is recorded, only waiting without a text."""
    some = canary & (random.random(len(canary)) < 1 / 15)
    fail(columns, some)
    columns["requests"] = np.where(some, 3, columns["requests"])
    columns["failed"] = np.where(some, 0, columns["failed"])
    columns["slow"] = np.where(some, 3, columns["slow"])


def bursts(random: np.random.Generator, columns: Columns, canary: Rows) -> None:
    """All users of ten minutes arrive at once."""
    columns["frozen"] = np.sort(np.ceil(columns["frozen"] / 600) * 600)


def outage(random: np.random.Generator, columns: Columns, canary: Rows) -> None:
    """Forty users in a row get only failures, whatever their arm: the network was down. It happens in each step."""
    fail(columns, (np.arange(len(canary)) >= 200) & (np.arange(len(canary)) < 240))


CASES = {
    "2 % of the users always fail": (Version(change=failing_for(0.02)), {"continue", "roll_back"}),
    "6 % of the users always fail": (Version(change=failing_for(0.06)), {"roll_back"}),
    "slow in long requests, + 3 points": (Version(change=slow_in_long_requests), {"continue", "roll_back", "promote"}),
    "better: no errors, 3 points fewer slow": (Version({"errors": -0.01, "slow": -0.03}), {"promote"}),
    "repairs what fails for 20 % of the users": (Version(change=repaired), {"promote"}),
    "one hostile heavy user": (Version(change=hostile), {"promote", "continue"}),
    "clients retry and give up": (Version(change=retried), {"roll_back"}),
    "users arrive in bursts": (Version(change=bursts), {"promote", "continue"}),
    "an outage of both arms": (Version(change=outage), {"promote", "continue"}),
}


@pytest.mark.parametrize("name", CASES)
def test_the_verdict_is_right(name: str) -> None:
    version, right = CASES[name]
    actions = Counter(release(400_000 + run, version, USERS).action for run in range(RUNS))
    print(f"{name}: {dict(actions)}")
    assert sum(actions[action] for action in right) >= 0.95 * RUNS - 1
