"""The effect of a canary on one measured value, as a sequence over users, and tests of it that hold under continuous looking (SERVE-5).

The arm of a user is a hash, so it is random with a known share. Let A = 1 if the user is assigned to the canary, w the canary's share in
the user's step, X the user's value in [0, 1], and m any number that depends on earlier users only. Then

    Z = (A / w - r (1 - A) / (1 - w)) (X - m) + (1 - r) m        has the mean        E[Z] = E[X | canary] - r E[X | champion]

whatever m is (Horvitz & Thompson 1952; design-based sequences: Ham, Bojinov, Lindon & Tingley 2022). With r = 1, Z estimates the difference
of the arms without bias in every step, although shares and base rates change from step to step. Values of different steps are combined
only through Z, never by pooling users. m is the mean of earlier users of the step: it removes variance, not bias.

If only users with a value count, such as those with a completion, w is the share of the canary among them only if both arms have a value
equally often. If shares p and q of the users of canary and champion have one, Z has the additional mean (p - q) (E[X] - m) / (mean share),
for equal versions with r = 1. m is close to E[X], so this is small: docs/explanation/canary.md has the measured error rates.

A test of "the mean of Z is at most d" bets on Z being larger. Its wealth is

    E_n = product over users of (1 + b_t (Z_t - d)),        b_t >= 0, depends on earlier users only, and 1 + b_t (Z_t - d) > 0.

If the statement is true, E_n is a supermartingale, so it exceeds 1/alpha with probability at most alpha, over all n together (Ville 1939;
betting for bounded means: Waudby-Smith & Ramdas 2024). The judge may therefore look after every user. The stakes b_t only decide the
power. For an assumed mean d + a they are close to Kelly's a / (variance + a^2). The average of the wealth for several a is again a wealth.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
PRIOR_USERS = 20.0  # weight of the assumed mean and variance before the first users
PRIOR_SECOND_MOMENT = 0.02  # of X - m; decides only the first stakes
LARGEST_LOSS = 0.75  # of the wealth by one user: a stake of 1 would end the test at the first surprise


@dataclass(frozen=True)
class Arms:
    """Values of users in the order of their observations.

    Attributes:
        values: (users,), in [0, 1]; NaN for a user without a value, who adds nothing.
        canary: (users,), True if the user is assigned to the canary.
        shares: (users,), the canary's share in the user's step, in (0, 1).
        steps: (users,), index of the step.
    """

    values: Numbers
    canary: NDArray[np.bool_]
    shares: Numbers
    steps: NDArray[np.int64]


@dataclass(frozen=True)
class Effects:
    """Unbiased estimates of an effect, one for each user.

    Attributes:
        estimates: (users,), Z of the module's text.
        spread: (users,), the variance of Z that earlier users predict; for stakes.
        low, high: (users,), the range of Z that is possible before the user is seen.
        centre: (users,), m of the module's text: the mean of X of earlier users.
        weights: (users,), of the estimate over all users. They depend on the shares only, never on values: 1 / spread gave users before a
            harm began 100 times the weight of later ones, and 42 % of failures had an estimate of 12 points.
    """

    estimates: Numbers
    spread: Numbers
    low: Numbers
    high: Numbers
    centre: Numbers
    weights: Numbers

    @property
    def users(self) -> int:
        """Number of users."""
        return len(self.estimates)

    def mean(self) -> float | None:
        """Return the weighted mean of all users; None without users."""
        return float(np.average(self.estimates, weights=self.weights)) if self.users else None

    def since(self, position: int) -> "Effects":
        """Return the effects of the users from a position on."""
        values = (self.estimates, self.spread, self.low, self.high, self.centre, self.weights)
        return Effects(*(array[position:] for array in values))

    def negated(self) -> "Effects":
        """Return the effects with the opposite sign."""
        return Effects(-self.estimates, self.spread, -self.high, -self.low, self.centre, self.weights)


def _earlier(values: Numbers, prior: float, weight: float, counted: NDArray[np.bool_]) -> Numbers:
    """Return for each position the mean of the counted values before it and of a prior value with a weight."""
    sums = np.concatenate(([0.0], np.cumsum(np.where(counted, values, 0.0))[:-1]))
    counts = np.concatenate(([0], np.cumsum(counted)[:-1]))
    return (prior * weight + sums) / (weight + counts)


def between_arms(arms: Arms, ratio: float = 1.0, typical: float = 0.0) -> Effects:
    """Return the effects E[X | canary] - ratio * E[X | champion], a value for each user.

    Args:
        ratio: r of the module's text; 1.1 compares with a champion that has 10 % more.
        typical: the mean of X that is assumed before the first users.
    """
    known = ~np.isnan(arms.values)
    values = np.where(known, arms.values, 0.0)
    centre = np.empty_like(values)
    weight = PRIOR_USERS
    for step in np.unique(arms.steps):  # base rates change between steps, so each has a mean of its own
        part = arms.steps == step
        earlier = known & (np.arange(len(values)) < int(np.flatnonzero(part)[0]))  # only users before the first one of this step
        prior = float(values[earlier].mean()) if earlier.any() else typical
        centre[part] = _earlier(values[part], prior, weight, known[part])
    distance = np.where(known, values - centre, 0.0)
    moment = _earlier(distance**2, PRIOR_SECOND_MOMENT, PRIOR_USERS, known)
    w = arms.shares
    estimates = np.where(arms.canary, distance / w, -ratio * distance / (1 - w)) + (1 - ratio) * centre
    design = 1 / w + ratio**2 / (1 - w)
    spread = moment * design
    offset = (1 - ratio) * centre
    low = np.minimum(-centre / w, -ratio * (1 - centre) / (1 - w)) + offset
    high = np.maximum((1 - centre) / w, ratio * centre / (1 - w)) + offset
    return Effects(estimates, spread, low, high, centre, 1 / design)


def paired(differences: Numbers, largest: float) -> Effects:
    """Return the effects of differences that were measured within each user. Those beyond `largest` are cut to it."""
    cut = np.clip(differences, -largest, largest)
    spread = _earlier(cut**2, (largest / 10) ** 2, PRIOR_USERS, np.ones(len(cut), bool))
    bound = np.full(len(cut), largest)
    return Effects(cut, spread, -bound, bound, np.zeros(len(cut)), np.ones(len(cut)))


def log_wealth(effects: Effects, at_most: float, assumed: Sequence[float | Numbers], extra: float = 0.0) -> Numbers:
    """Return the logarithm of the wealth of a test of "the effect is at most `at_most`" after each user, (users,).

    Args:
        assumed: amounts above `at_most` for which the test is made powerful, one for all users or one for each; the wealth is the average
            over them.
        extra: variance that a larger effect brings with it, for each unit of the effect.
    """
    gains = effects.estimates - at_most
    worst = np.maximum(at_most - effects.low, 1e-9)
    paths = []
    for amount in assumed:
        stake = np.minimum(amount / (effects.spread + extra * amount + amount**2), LARGEST_LOSS / worst)
        paths.append(np.cumsum(np.log1p(stake * gains)))
    return np.asarray(np.logaddexp.reduce(paths, axis=0) - np.log(len(paths)))


def restarted(effects: Effects, starts: Sequence[int], assumed: Sequence[float | Numbers], extra: float = 0.0) -> list[Numbers]:
    """Return the logarithm of the wealth of tests of "the effect is at most 0" that start at several users, each (users,).

    A harm that begins in a late step is diluted in a test over all steps. A test that starts with that step sees it.

    Args:
        starts: positions of the first users of the steps.
    """
    paths = []
    for start in starts:
        amounts = [amount if isinstance(amount, float) else amount[start:] for amount in assumed]
        paths.append(np.concatenate((np.zeros(start), log_wealth(effects.since(start), 0.0, amounts, extra))))
    return paths


def averaged(paths: Sequence[Numbers], parts: int) -> Numbers:
    """Return the logarithm of the average wealth of `parts` tests, (users,), which is again a wealth.

    Args:
        parts: number of tests, at least that of `paths`; those that have not started have the wealth 1.
    """
    waiting = [np.zeros_like(paths[0])] * (parts - len(paths))
    return np.asarray(np.logaddexp.reduce([*paths, *waiting], axis=0) - np.log(parts))


def lower_bound(effects: Effects, level: float, unit: float, assumed: Sequence[float]) -> float | None:
    """Return the lower bound of the effect that holds for all users together with probability `level`; None without a bound.

    It is the largest `d` for which "the effect is at most d" has been rejected at any time.

    Args:
        unit: scale of the effect; bounds further than 64 units below the estimate are not searched.
    """
    centre = effects.mean()
    if centre is None:
        return None
    limit = -np.log(1 - level)

    def rejected(value: float) -> bool:
        return bool(log_wealth(effects, value, assumed).max() >= limit)

    distance = unit
    while not rejected(centre - distance):
        distance *= 2
        if distance > 64 * unit:
            return None
    low, high = centre - distance, centre
    for _ in range(5):
        middle = (low + high) / 2
        low, high = (middle, high) if rejected(middle) else (low, middle)
    return low


def split_is_wrong(canary: NDArray[np.bool_], shares: Numbers, level: float) -> NDArray[np.bool_]:
    """Return after each user, (users,), True if the users so far are not divided as the shares say. The error is at most 1 - `level` over
    all looks.

    A wrong split means that users of one arm are missing, so nothing can be concluded from the others (sample ratio mismatch).
    """
    missing = Effects(shares - canary, shares * (1 - shares), -(1 - shares), shares, shares, shares)
    wealth = [log_wealth(side, 0.0, [0.02, 0.1, 0.3]) for side in (missing, missing.negated())]
    return np.asarray(np.maximum.accumulate(np.maximum(*wealth)) >= -np.log((1 - level) / 2))
