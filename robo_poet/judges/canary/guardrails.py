"""The guardrails of a canary: which value of a user each one compares, in which unit, and how a harm is tested (SERVE-5)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from robo_poet.judges.canary.effects import Arms, Effects, Numbers, between_arms, paired
from robo_poet.judges.canary.observations import CANARY, UserObservation
from robo_poet.judges.canary.policy import Policy

LARGEST_QUALITY = 1.0  # bits per byte; a larger difference of one user counts as this one


@dataclass(frozen=True)
class Measure:
    """What a guardrail measures.

    Attributes:
        unit: unit of margin, estimate and bounds: "points" are percentage points of requests, as a share of 1.
        form: `difference` of the arms' means, harm is an increase; `decrease`, harm is a decrease; `relative` difference of the means, harm
            in both directions; `paired` difference within each user.
        value: returns the user's value, in [0, 1] except for `paired`; None if the user has none, and is not compared.
        extra: variance that an effect brings with it, for each unit of the effect: a share of failures that rises from 1 % to 6 % has six
            times the variance. Only for the power of the tests.
        typical: mean of the values that is assumed before the first users. It decides the first estimates and stakes.
    """

    label: str
    unit: Literal["points", "ratio", "bits per byte", "rating"]
    form: Literal["difference", "decrease", "relative", "paired"]
    value: Callable[[UserObservation], float | None]
    extra: float = 0.0
    typical: float = 0.0

    def possible(self, harm: Numbers) -> Numbers:
        """Return estimates or bounds of a harm, (users,), cut to what is possible.

        Few users with a small share can give estimates far outside: a user of a canary with 5 % of the users stands for twenty.
        """
        return np.clip(harm, -1.0, np.inf if self.form == "relative" else 1.0)


MEASURES: Mapping[str, Measure] = MappingProxyType({
    "errors": Measure("failed requests", "points", "difference", lambda u: u.failed / u.requests, 0.5),
    "refusals": Measure("withheld answers", "points", "difference", lambda u: u.refused / u.requests, 0.5),
    "slow": Measure("slow requests", "points", "difference", lambda u: u.slow / u.requests, 0.5),
    "degenerate": Measure("degenerate texts", "points", "difference", lambda u: u.degenerate / u.requests, 0.5),
    # Failures are the matter of `errors`. As a length of 0, they hid or imitated a change of the length.
    "length": Measure(
        "length of a completion", "ratio", "relative", lambda u: u.length / u.completions if u.completions else None, typical=0.5
    ),
    "quality": Measure("quality, paired", "bits per byte", "paired", lambda u: u.quality),
    "ratings": Measure(
        "ratings", "rating", "decrease", lambda u: min(1.0, max(0.0, (u.rating / u.ratings + 1) / 2)) if u.ratings else None
    ),
})  # fmt: skip


@dataclass(frozen=True)
class Comparable:
    """The observations whose arm is random given the observations before them.

    A user keeps the arm while the share grows, except that some of the champion's users move to the canary. So a user who had the canary
    in an earlier step has it again for certain and cannot be compared. A user who had the champion at share v moves at share w with
    probability (w - v) / (1 - v), which takes the place of the share.

    Attributes:
        users: in the order of their observations.
    """

    users: Sequence[UserObservation]
    canary: NDArray[np.bool_]
    shares: Numbers
    steps: NDArray[np.int64]


def comparable(users: Sequence[UserObservation], policy: Policy, shares_of: Mapping[int, float] | None = None) -> Comparable:
    """Return the observations that can be compared.

    Args:
        users: sorted by the time of freezing.
        shares_of: share of the canary in a step, where it is not that of the policy.
    """
    actual = shares_of or {}
    before: dict[str, tuple[bool, float]] = {}
    kept, shares = [], []
    for user in users:
        share, canary = actual.get(user.step, policy.share(user.step)), user.arm == CANARY
        was_canary, earlier = before.get(user.user, (False, 0.0))
        before[user.user] = was_canary or canary, max(share, earlier)
        probability = (share - earlier) / (1 - earlier)
        if not was_canary and 0 < probability < 1 and user.requests:
            kept.append(user)
            shares.append(probability)
    canary_arm = np.array([user.arm == CANARY for user in kept], bool)
    return Comparable(kept, canary_arm, np.array(shares, float), np.array([user.step for user in kept], np.int64))


@dataclass(frozen=True)
class Measured:
    """The effects of a guardrail, for the users with a value.

    Attributes:
        effects: the effect whose increase is a harm; for `relative`, whose change is a harm.
        limits: effects that are below the margin if the harm is (`relative`: below 0), one for each direction of a harm.
        positions: (users,), position of each user among the compared users.
        steps: (users,), step of each effect.
        both_arms: (users,), each arm has at least MINIMUM_ARM users with a value until then; for `paired`, a user has both.
    """

    effects: Effects
    limits: tuple[Effects, ...]
    positions: NDArray[np.int64]
    steps: NDArray[np.int64]
    both_arms: NDArray[np.bool_]


MINIMUM_ARM = 10  # with fewer users of an arm, all of its users may be missing


def effects_of(measure: Measure, users: Comparable, margin: float) -> Measured:
    """Return the effects of a guardrail.

    For `relative`, the limits are E[canary] - (1 + margin) E[champion] and (1 - margin) E[champion] - E[canary].
    """
    values = np.array([np.nan if (value := measure.value(user)) is None else value for user in users.users], float)
    known = np.flatnonzero(~np.isnan(values))
    if measure.form == "paired":  # a difference within a user says the same in each step, so only the first one counts
        first = {users.users[position].user: position for position in map(int, reversed(known))}
        known = np.array(sorted(first.values()), np.int64)
        effects = paired(values[known], LARGEST_QUALITY)
        return Measured(effects, (effects,), known, users.steps[known], np.ones(len(known), bool))
    arms = Arms(values[known], users.canary[known], users.shares[known], users.steps[known])
    both = np.minimum(np.cumsum(arms.canary), np.cumsum(~arms.canary)) >= MINIMUM_ARM
    effects = between_arms(arms, typical=measure.typical)
    limits: tuple[Effects, ...] = (effects,)
    if measure.form == "relative":
        limits = between_arms(arms, 1 + margin, measure.typical), between_arms(arms, 1 - margin, measure.typical).negated()
    elif measure.form == "decrease":
        effects = effects.negated()
        limits = (effects,)
    return Measured(effects, limits, known, arms.steps, both)
