"""Simulated releases, looked at after every user: heavy-tailed users, day and night, and base rates that change during the ramp."""

from dataclasses import dataclass

import numpy as np

from robo_poet.judges.canary.effects import Arms, between_arms, log_wealth, restarted
from robo_poet.judges.canary.guardrails import MEASURES
from robo_poet.judges.canary.judge import HARMS, step_starts
from robo_poet.judges.canary.policy import Policy

RATES = {"errors": 0.01, "refusals": 0.01, "slow": 0.05, "degenerate": 0.01}  # of the champion, shares of requests
POLICY = Policy()
NEVER = 10**9


@dataclass(frozen=True)
class Outcome:
    """When a simulated release was decided.

    Attributes:
        rolled_back, promoted: number of users at the decision; NEVER if it was not made.
        canary_users: users of the canary at the roll-back.
    """

    rolled_back: int
    promoted: int
    canary_users: int


def traffic(random: np.random.Generator, base: float, harm: float, steps: np.ndarray, canary: np.ndarray) -> np.ndarray:
    """Return the share of bad requests of each user. A third of the users make one request, 2 % make 20 or more."""
    users = len(steps)
    requests = np.minimum(POLICY.user_requests, np.ceil(random.pareto(1.1, users) + 1e-3)).astype(int)
    hour = 1 + 0.5 * np.sin(np.arange(users) / 300)  # day and night
    rate = base * hour * (1 + 0.15 * steps)  # the base rate rises while the share grows
    own = random.gamma(2.0, 0.5, users)  # users differ
    chance = np.clip((rate + np.where(canary, harm, 0.0)) * own, 0.0, 1.0)
    return random.binomial(requests, chance) / requests


def release(random: np.random.Generator, harms: dict[str, float], users: int) -> Outcome:
    """Simulate a release up to `users` users with the default policy.

    Args:
        harms: guardrail → what the canary adds to the champion's rate.
    """
    last = len(POLICY.steps) - 1
    steps = np.minimum(np.arange(users) // POLICY.min_users, last)
    shares = np.array(POLICY.steps)[steps]
    canary = random.random(users) < shares
    limit = np.log(len(POLICY.guardrails) / POLICY.false_rollback)
    safe_from, harmful_from = last * POLICY.min_users + POLICY.min_users - 1, NEVER
    for name, base in RATES.items():
        margin = POLICY.guardrails[name].margin
        effects = between_arms(Arms(traffic(random, base, harms.get(name, 0.0), steps, canary), canary, shares, steps))
        wealth = restarted(effects, step_starts(steps), last + 2, [share * margin for share in HARMS], MEASURES[name].extra)
        estimate = np.cumsum(effects.estimates * effects.weights) / np.cumsum(effects.weights)
        harmful = np.flatnonzero((np.maximum.accumulate(wealth) >= limit) & (estimate > margin))
        safe = np.flatnonzero(log_wealth(effects.negated(), -margin, [margin]) >= -np.log(POLICY.false_promotion))
        harmful_from = min(harmful_from, int(harmful[0]) if len(harmful) else NEVER)
        safe_from = max(safe_from, int(safe[0]) if len(safe) else NEVER)
    rolled_back = harmful_from + 1 if harmful_from <= safe_from and harmful_from < NEVER else NEVER
    promoted = safe_from + 1 if safe_from < harmful_from else NEVER
    return Outcome(rolled_back, promoted, int(canary[:rolled_back].sum()) if rolled_back < NEVER else NEVER)
