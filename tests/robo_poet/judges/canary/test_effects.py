import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.judges.canary.effects import Arms, Effects, averaged, between_arms, log_wealth, lower_bound, paired, restarted

SHARES = (0.05, 0.25, 0.5, 0.95)
AMOUNTS = [0.0125, 0.05, 0.2]


def arms(seed: int, users: int, harm: float, base: float = 0.05) -> Arms:
    random = np.random.default_rng(seed)
    steps = np.minimum(4 * np.arange(users) // max(users, 1), 3)
    shares = np.array(SHARES)[steps]
    canary = random.random(users) < shares
    values = (random.random(users) < base * (1 + steps) + np.where(canary, harm, 0.0)).astype(float)
    return Arms(values, canary, shares, steps)


@pytest.mark.parametrize("ratio", [1.0, 1.1, 0.9])
def test_the_effect_is_unbiased_although_shares_and_base_rates_change(ratio: float) -> None:
    random, values = np.random.default_rng(1), []
    for _ in range(400):
        steps = np.repeat(np.arange(4), 50)
        shares = np.array(SHARES)[steps]
        canary = random.random(200) < shares
        chance = 0.1 * (1 + steps) + np.where(canary, 0.1, 0.0)  # pooling the steps would give a difference of 0.27
        values.append(float(between_arms(Arms((random.random(200) < chance) * 1.0, canary, shares, steps), ratio).estimates.mean()))
    expected = 0.35 - ratio * 0.25
    assert np.mean(values) == pytest.approx(expected, abs=4 * np.std(values) / 20)


def test_each_effect_is_within_its_predicted_range_and_ignores_later_users() -> None:
    data = arms(2, 800, 0.1)
    effects = between_arms(data, 1.1)
    assert (effects.low - 1e-12 <= effects.estimates).all() and (effects.estimates <= effects.high + 1e-12).all()
    shorter = between_arms(Arms(data.values[:500], data.canary[:500], data.shares[:500], data.steps[:500]), 1.1)
    np.testing.assert_allclose(shorter.estimates, effects.estimates[:500])
    np.testing.assert_allclose(log_wealth(shorter, 0.0, [0.1]), log_wealth(effects, 0.0, [0.1])[:500])


def slow_wealth(arms: Arms, at_most: float, amount: float) -> float:
    """The wealth, written again as a loop over users from the formulas of the module's text."""
    wealth, previous = 1.0, 0.0
    sums: dict[int, list[float]] = {}
    seconds: list[float] = []
    for value, canary, w, step in zip(arms.values, arms.canary, arms.shares, arms.steps, strict=True):
        if step not in sums:
            before = [x for part in sums.values() for x in part]
            previous = sum(before) / len(before) if before else 0.0
            sums[int(step)] = []
        seen = sums[int(step)]
        m = (20 * previous + sum(seen)) / (20 + len(seen))
        moment = (20 * 0.02 + sum(seconds)) / (20 + len(seconds))
        z = (value - m) / w if canary else -(value - m) / (1 - w)
        variance = moment * (1 / w + 1 / (1 - w))
        worst = at_most + max(m / w, (1 - m) / (1 - w))
        stake = min(amount / (variance + amount**2), 0.75 / worst)
        wealth *= 1 + stake * (z - at_most)
        seen.append(value)
        seconds.append((value - m) ** 2)
    return math.log(wealth)


@given(st.integers(0, 1000), st.integers(1, 120), st.floats(0, 0.3))
def test_the_wealth_equals_an_independent_loop(seed: int, users: int, harm: float) -> None:
    data = arms(seed, users, harm)
    assert log_wealth(between_arms(data), 0.01, [0.05])[-1] == pytest.approx(slow_wealth(data, 0.01, 0.05), abs=1e-9)


def test_the_wealth_of_a_true_statement_rarely_reaches_its_limit() -> None:
    """Ville: at most 5 % over all looks. 400 runs of 1,000 users."""
    crossed = [log_wealth(between_arms(arms(seed, 1000, 0.0)), 0.0, [0.02, 0.1]).max() >= math.log(20) for seed in range(400)]
    assert np.mean(crossed) <= 0.05 + 0.03


def test_users_without_a_value_add_nothing() -> None:
    data = arms(3, 300, 0.2)
    gaps = np.where(np.arange(300) % 3 == 0, np.nan, data.values)
    effects = between_arms(Arms(gaps, data.canary, data.shares, data.steps))
    assert (effects.estimates[::3] == 0).all()


def test_bounds_enclose_the_effect_and_shrink() -> None:
    widths = []
    for users in (500, 5000, 50_000):
        effects = between_arms(arms(4, users, 0.1))
        low = lower_bound(effects, 0.95, 0.05, AMOUNTS)
        high = lower_bound(effects.negated(), 0.95, 0.05, AMOUNTS)
        assert low is not None and high is not None
        assert low < 0.1 < -high
        widths.append(-high - low)
    assert widths == sorted(widths, reverse=True)


def test_without_users_nothing_is_known() -> None:
    nothing = paired(np.array([]), 1.0)
    assert nothing.mean() is None and lower_bound(nothing, 0.95, 0.05, [0.05]) is None


def test_a_paired_difference_is_cut() -> None:
    effects: Effects = paired(np.array([0.1, 50.0, -50.0]), 1.0)
    assert effects.estimates.tolist() == [0.1, 1.0, -1.0]


def test_restarted_tests_are_the_average_of_their_parts() -> None:
    effects = between_arms(arms(5, 400, 0.2))
    whole, last = log_wealth(effects, 0.0, [0.05])[-1], log_wealth(effects.since(300), 0.0, [0.05])[-1]
    assert averaged(restarted(effects, [0, 300], [0.05]), 3)[-1] == pytest.approx(math.log((math.exp(whole) + math.exp(last) + 1) / 3))


def test_a_harm_that_begins_in_the_last_step_is_seen_by_a_restarted_test() -> None:
    random = np.random.default_rng(6)
    steps = np.repeat([0, 1, 2], 3000)
    shares = np.array([0.05, 0.25, 0.5])[steps]
    canary = random.random(9000) < shares
    chance = 0.01 + np.where(canary & (steps == 2), 0.03, 0.0)
    effects = between_arms(Arms((random.random(9000) < chance) * 1.0, canary, shares, steps))
    assert averaged(restarted(effects, [0, 3000, 6000], [0.02]), 5).max() > log_wealth(effects, 0.0, [0.02]).max() + 2
