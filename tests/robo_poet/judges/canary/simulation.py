"""Simulated releases, judged whole after every user: heavy-tailed users, day and night, and base rates that change during the ramp."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from robo_poet.judges.canary.observations import CANARY, CHAMPION, StepFacts, UserObservation
from robo_poet.judges.canary.policy import Policy
from tests.robo_poet.judges.canary.looks import looks

POLICY = Policy()
RATES = {"errors": 0.01, "refusals": 0.01, "slow": 0.05, "degenerate": 0.01}  # of the champion, shares of requests
USERS_AN_HOUR = 300.0  # on average over a day; ± 50 % by day and night
EARLY = 0.3  # share of the completions that end before the tokens that the user asked for, with 60 % of them on average
SCORED, RATING = 0.2, 0.05  # shares of the users with a shadow score, and with a rating
SETTLE = 35.0  # seconds between the end of an observation and the look
BLOCK = 750  # users generated at once before the last step; a step without doubts ends after `min_users` of them

Columns = dict[str, np.ndarray]
Change = Callable[[np.random.Generator, Columns, np.ndarray], None]


@dataclass(frozen=True)
class Version:
    """How a canary differs from the champion.

    Attributes:
        harms: guardrail → what the canary adds to the champion's rate, to the mean of `quality`, and relatively to the length.
        change: changes the columns of the observations in place, given (generator, columns, users of the canary).
    """

    harms: Mapping[str, float] = field(default_factory=dict)
    change: Change | None = None


@dataclass(frozen=True)
class Outcome:
    """How a simulated release ended.

    Attributes:
        action: `promote` or `roll_back`; `hold` if the last look was a hold; `continue` if nothing was decided.
        users, canary_users: users of both arms, and of the canary, at the decision or at the end.
        observations, facts: what the judge saw at that look.
    """

    action: str
    reasons: tuple[str, ...]
    users: int
    canary_users: int
    observations: tuple[UserObservation, ...]
    facts: StepFacts

    def without_observations(self) -> "Outcome":
        """Return the outcome without the observations: 2,000 releases would need gigabytes."""
        return replace(self, observations=())


def arrivals(random: np.random.Generator, count: int, start: float) -> np.ndarray:
    """Return the times of the first requests of users, in seconds, of a Poisson process whose rate changes by day and night."""
    times, now = np.empty(count), start
    for number, gap in enumerate(random.exponential(3600 / USERS_AN_HOUR, count)):
        now += gap / _daytime(now)
        times[number] = now
    return times


def _daytime(time: float | np.ndarray) -> np.ndarray:
    return 1 + 0.5 * np.sin(2 * np.pi * np.asarray(time) / 86400)


def traffic(random: np.random.Generator, version: Version, step: int, count: int, start: float, share: float) -> Columns:
    """Return the columns of the observations of new users in a step. A third of the users make one request, 2 % make 20 or more."""
    times = arrivals(random, count, start)
    canary = random.random(count) < share
    requests = np.minimum(POLICY.user_requests, np.ceil(random.pareto(1.1, count) + 1e-3)).astype(int)
    columns: Columns = {"frozen": times + 60 * POLICY.user_minutes, "canary": canary, "requests": requests}

    def bad(name: str, trials: np.ndarray) -> np.ndarray:
        rate = RATES[name] * _daytime(times) * (1 + 0.15 * step)  # the base rate rises while the share grows
        own = random.gamma(2.0, 0.5, count)  # users differ
        return random.binomial(trials, np.clip((rate + np.where(canary, version.harms.get(name, 0.0), 0.0)) * own, 0.0, 1.0))

    columns["failed"] = bad("errors", requests)
    columns["completions"] = requests - columns["failed"]
    columns["refused"] = bad("refusals", requests)
    columns["slow"] = bad("slow", columns["completions"])
    columns["degenerate"] = bad("degenerate", columns["completions"])
    early = EARLY - np.where(canary, (1 - 0.4 * EARLY) * version.harms.get("length", 0.0) / 0.4, 0.0)  # changes the mean by this share
    owners = np.repeat(np.arange(count), columns["completions"])
    ends = np.where(random.random(len(owners)) < early[owners], random.uniform(0.2, 1.0, len(owners)), 1.0)
    columns["length"] = np.minimum(np.bincount(owners, weights=ends, minlength=count), columns["completions"])
    quality = 0.05 * random.standard_t(3, count) + version.harms.get("quality", 0.0)  # heavy-tailed, of the same size in both arms
    columns["quality"] = np.where(random.random(count) < SCORED, quality, np.nan)
    columns["ratings"] = (random.random(count) < RATING).astype(int)
    liked = np.where(random.random(count) < 0.6 - np.where(canary, version.harms.get("ratings", 0.0), 0.0), 1.0, -1.0)
    columns["rating"] = columns["ratings"] * liked
    if version.change is not None:
        version.change(random, columns, canary)
    return columns


def observations(columns: Columns, step: int, first: int) -> list[UserObservation]:
    """Return the observations of the columns. `first` is the number of the first user."""
    names = ("frozen", "requests", "failed", "refused", "completions", "slow", "degenerate", "length", "quality", "ratings", "rating")
    rows = zip(*(columns[name].tolist() for name in names), strict=True)
    return [
        UserObservation(
            step, CANARY if canary else CHAMPION, f"user {number}", frozen, requests, failed, refused, completions, slow, degenerate, length,
            None if quality != quality else quality, ratings, rating,
        )
        for number, (canary, (frozen, requests, failed, refused, completions, slow, degenerate, length, quality, ratings, rating)) in enumerate(
            zip(columns["canary"].tolist(), rows, strict=True), first
        )
    ]  # fmt: skip


def release(seed: int, version: Version, users: int, policy: Policy = POLICY) -> Outcome:
    """Simulate a release up to `users` users. The judge is asked after every user, and its steps are taken."""
    seen: list[UserObservation] = []
    began = started = 8 * 3600.0
    action: str = "continue"
    reasons, last = [""], len(policy.steps) - 1
    facts = StepFacts(0, started, started, began, {}, True)

    def facts_at(position: int) -> StepFacts:
        now = seen[position].frozen + SETTLE
        return replace(facts, now=now, newest=now)

    for step in range(len(policy.steps)):
        facts, before, ended = replace(facts, step=step, started=started), len(seen), False
        while not ended and len(seen) < users:
            random = np.random.default_rng((seed, step, len(seen)))
            count = min(users - len(seen), BLOCK if step < last else users)
            now = seen[-1].frozen - 60 * policy.user_minutes if seen else began
            seen += observations(traffic(random, version, step, count, now, policy.steps[step]), step, len(seen))
            answers = looks(seen, facts_at, policy, before)
            end = next((at for at, answer in enumerate(answers) if answer[0] not in ("continue", "hold")), len(answers) - 1)
            action, reasons = answers[end]
            ended = action not in ("continue", "hold")
            del seen[before + end + 1 :]
        started = seen[-1].frozen + SETTLE
        if action != "next_step":
            break
    return Outcome(
        action, tuple(reasons), len(seen), sum(user.arm == CANARY for user in seen), tuple(seen), facts_at(len(seen) - 1)
    )  # fmt: skip
