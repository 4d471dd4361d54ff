import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from robo_poet.judges.intervals import (
    MINIMUM_UNITS,
    clopper_pearson,
    clustered_rate,
    draws,
    interval_within,
    ratio,
    ratio_estimate,
    studentised,
    upper_quantile,
)
from tests.robo_poet.judges.laws import LAWS

units = st.lists(st.tuples(st.floats(-100, 100), st.floats(0.1, 100)), min_size=2, max_size=20)


@given(units)
def test_the_error_is_the_jackknifes(pairs: list[tuple[float, float]]) -> None:
    n, d = np.array(pairs).T
    found = ratio(n, d)
    assert found.value == pytest.approx(n.sum() / d.sum())
    left_out = [(n.sum() - a) / (d.sum() - b) for a, b in pairs]  # each of them without one unit
    around = sum((one - found.value) ** 2 for one in left_out)
    assert found.error == pytest.approx(math.sqrt((len(pairs) - 1) / len(pairs) * around), rel=1e-6, abs=1e-9)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=20))
def test_of_equal_units_it_is_the_mean_and_its_textbook_error(values: list[float]) -> None:
    found = ratio(values, np.full(len(values), 3.0))
    assert 3 * found.value == pytest.approx(np.mean(values))
    assert 3 * found.error == pytest.approx(np.std(values, ddof=1) / math.sqrt(len(values)), rel=1e-6, abs=1e-9)
    assert found.freedom == pytest.approx(max(1, len(values) - 1))


@given(units, st.floats(0.01, 100))
def test_the_unit_of_the_denominators_does_not_matter(pairs: list[tuple[float, float]], scale: float) -> None:
    n, d = np.array(pairs).T
    one, other = ratio(n, d), ratio(n, d * scale)
    assert (one.value, one.error) == pytest.approx((other.value * scale, other.error * scale), rel=1e-6, abs=1e-9)
    assert one.freedom == pytest.approx(other.freedom)


def test_few_large_units_are_as_few_as_they_are() -> None:
    assert ratio(range(12), [1000, 1000] + [1] * 10).freedom < 1.1
    assert ratio(range(12), [1] * 12).freedom == pytest.approx(11)


def test_units_with_a_denominator_of_0_are_left_out() -> None:
    found = ratio([1, 2, 0, 3], [1, 1, 0, 1])
    assert (found.units, found.value, found.residuals.shape) == (3, 2.0, (3,))


@pytest.mark.parametrize(("n", "d"), [([], []), ([1, 2], [0, 0]), ([1, math.nan], [1, 1]), ([math.inf, 1], [1, 1])])
def test_an_undefined_ratio_is_nan(n: list[float], d: list[float]) -> None:
    found = ratio(n, d)
    assert math.isnan(found.value) and found.error == math.inf


def test_one_unit_has_an_infinite_error() -> None:
    assert (ratio([3], [2]).value, ratio([3], [2]).error) == (1.5, math.inf)


@pytest.mark.parametrize(
    ("n", "d", "message"),
    [
        ([1, 2], [1], "numerators and denominators must be"),
        ([1], [-1], "negative"),
        ([1], [math.nan], "negative or not finite"),
        ([[1]], [[1]], r"\(units,\) arrays"),
    ],
)
def test_wrong_input_is_an_error(n: list[float], d: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ratio(n, d)


pairs = st.lists(st.tuples(st.floats(-100, 100), st.floats(0.1, 100)), min_size=MINIMUM_UNITS, max_size=30)


def coverage(law: str, units: int, repeats: int, resamples: int) -> float:
    """How often the interval of made works holds the true ratio."""
    random, held = np.random.default_rng(7), 0
    for seed in range(repeats):
        n, d, truth = LAWS[law](random, units)
        found = ratio_estimate(n, d, seed=seed, resamples=resamples)
        held += found.low <= truth <= found.high
    return held / repeats


@pytest.mark.parametrize("law", LAWS)
def test_the_interval_of_few_works_holds_the_truth(law: str) -> None:
    assert coverage(law, 8, repeats=250, resamples=300) >= 0.92  # ± 0.014 is chance


@pytest.mark.soak
@pytest.mark.parametrize("units", [5, 8, 12, 30, 100])
@pytest.mark.parametrize("law", LAWS)
def test_the_interval_holds_the_truth(law: str, units: int) -> None:
    found = coverage(law, units, repeats=2000, resamples=1000)
    print(f"coverage of 95 %, {law}, {units} works: {found:.1%}")
    assert 0.92 <= found <= 0.99


def test_the_percentile_interval_would_not() -> None:
    random, held = np.random.default_rng(7), 0
    for seed in range(250):
        n, d, truth = LAWS["equal"](random, 8)
        counts = np.concatenate(list(draws(8, 300, seed)))
        low, high = np.quantile((counts @ n) / (counts @ d), [0.025, 0.975])
        held += low <= truth <= high
    assert held / 250 < 0.9


def test_documents_taken_for_works_would_be_too_sure() -> None:
    """20 documents of each of 10 works that differ: the reason for all this."""
    random, held, wrong = np.random.default_rng(3), 0, 0
    for seed in range(150):
        documents = random.normal(0, 1, (10, 1)) + random.normal(0, 1, (10, 20))
        works = ratio_estimate(documents.sum(axis=1), np.full(10, 20.0), seed=seed, resamples=300)
        naive = ratio_estimate(documents.ravel(), np.ones_like(documents.ravel(), float), seed=seed, resamples=300)
        held += works.low <= 0 <= works.high
        wrong += naive.low <= 0 <= naive.high
    assert held / 150 >= 0.92
    assert wrong / 150 < 0.6


@given(pairs, st.integers(0, 99))
def test_the_value_is_in_its_interval_and_the_same_seed_gives_the_same(given_pairs: list[tuple[float, float]], seed: int) -> None:
    n, d = np.array(given_pairs).T
    one = ratio_estimate(n, d, seed=seed, resamples=100)
    assert one == ratio_estimate(n, d, seed=seed, resamples=100)
    assert one.low <= one.value <= one.high
    assert (one.value, one.units) == (pytest.approx(n.sum() / d.sum()), len(given_pairs))


@given(pairs, st.sampled_from([0.25, 2.0, 1024.0]), st.sampled_from([-3.0, 1.0]))
def test_it_moves_and_stretches_with_the_values(given_pairs: list[tuple[float, float]], scale: float, shift: float) -> None:
    n, d = np.round(np.array(given_pairs), 3).T
    one, other = ratio_estimate(n, d, seed=1, resamples=100), ratio_estimate(scale * n + shift * d, d, seed=1, resamples=100)
    if math.isfinite(one.high) and math.isfinite(other.high):
        assert (other.low, other.high) == pytest.approx((scale * one.low + shift, scale * one.high + shift), rel=1e-4, abs=1e-4)


@given(pairs)
def test_more_confidence_is_a_wider_interval(given_pairs: list[tuple[float, float]]) -> None:
    n, d = np.array(given_pairs).T
    narrow, wide = (ratio_estimate(n, d, seed=1, resamples=200, confidence=confidence) for confidence in (0.8, 0.95))
    assert wide.low <= narrow.low and narrow.high <= wide.high


@pytest.mark.parametrize("values", [[], [1.0], [1.0] * (MINIMUM_UNITS - 1), [math.nan] * 9, [1, 2, 3, 4, 5, math.inf]])
def test_too_few_units_or_values_that_are_not_finite_are_unknown(values: list[float]) -> None:
    found = ratio_estimate(values, np.ones_like(values, float), seed=1)
    assert (found.low, found.high, found.units) == (-math.inf, math.inf, len(values))


def test_one_work_that_differs_from_four_equal_ones_is_unknown() -> None:
    assert (
        ratio_estimate([0, 0, 0, 0, 1], np.ones_like([0, 0, 0, 0, 1], float), seed=1).high == math.inf
    )  # every third draw shows no spread at all


def test_values_that_are_all_the_same_leave_no_doubt() -> None:
    found = ratio_estimate([0.3, 0.6, 0.9, 1.2, 1.5], [1, 2, 3, 4, 5], seed=1)
    assert (found.low, found.value, found.high) == pytest.approx((0.3, 0.3, 0.3), abs=1e-15)
    assert ratio_estimate([0.0] * 9, np.ones_like([0.0] * 9, float), seed=1).high == 0.0


def test_a_resample_is_studentised_by_its_own_error() -> None:
    n, d = np.array([3.0, 1, 4, 1, 5, 9]), np.array([2.0, 7, 1, 8, 2, 8])
    found, counts = ratio(n, d), np.array([[1.0, 0, 2, 1, 2, 0], [1, 1, 1, 1, 1, 1], [0, 6, 0, 0, 0, 0]])
    t = studentised(found.residuals, found.shares, counts)
    drawn = np.repeat(np.arange(6), [1, 0, 2, 1, 2, 0])
    value = n[drawn].sum() / d[drawn].sum()
    error = math.sqrt(6 / 5 * np.square(n[drawn] - value * d[drawn]).sum()) / d[drawn].sum()
    assert t[0] == pytest.approx(abs(value - found.value) / error)
    assert t[1] == pytest.approx(0, abs=1e-12)
    assert t[2] == math.inf


@given(st.integers(1, 40), st.integers(1, 60), st.integers(0, 9))
def test_each_resample_has_as_many_units_as_the_data(units: int, resamples: int, seed: int) -> None:
    counts = np.concatenate(list(draws(units, resamples, seed)))
    assert counts.shape == (resamples, units)
    assert (counts.sum(axis=1) == units).all() and (counts >= 0).all()


def test_many_units_are_drawn_in_chunks() -> None:
    parts = list(draws(5000, 900, seed=1))
    assert len(parts) > 1 and sum(map(len, parts)) == 900
    assert all((part.sum(axis=1) == 5000).all() for part in parts)


def test_the_quantile_is_a_value_that_at_most_so_many_exceed() -> None:
    assert upper_quantile(np.array([1.0, 2, 3, 4, math.inf]), 0.8) == 4
    assert upper_quantile(np.array([1.0, 2, 3, 4, math.inf]), 0.81) == math.inf


def test_500_works_take_well_under_a_tenth_of_a_second() -> None:
    random = np.random.default_rng(0)
    n, d = random.normal(size=500), random.lognormal(size=500)
    started = time.process_time()
    for seed in range(5):
        ratio_estimate(n, d, seed=seed)
    assert (time.process_time() - started) / 5 < 0.1  # 0.013 s on the machine it was written on


counts = st.integers(1, 500).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


def test_the_worked_examples_of_newcombe_1998() -> None:
    """Table I: method 5, four decimals."""
    table = {(81, 263): (0.2527, 0.3676), (15, 148): (0.0578, 0.1617), (0, 20): (0.0000, 0.1684), (1, 29): (0.0009, 0.1776)}
    for (hits, trials), exact in table.items():
        assert tuple(round(limit, 4) for limit in clopper_pearson(hits, trials)) == exact


@given(counts, st.sampled_from([0.8, 0.95, 0.99]))
def test_the_limits_equal_scipys(given_counts: tuple[int, int], confidence: float) -> None:
    hits, trials = given_counts
    exact = binomtest(hits, trials).proportion_ci(confidence)
    assert clopper_pearson(hits, trials, confidence=confidence) == pytest.approx((exact.low, exact.high), abs=1e-9)


@given(counts)
def test_the_misses_have_the_mirrored_interval(given_counts: tuple[int, int]) -> None:
    hits, trials = given_counts
    low, high = clopper_pearson(hits, trials)
    assert clopper_pearson(trials - hits, trials) == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_no_trial_is_unknown() -> None:
    with pytest.raises(ValueError, match="number of trials is 0"):
        clopper_pearson(0, 0)
    assert math.isnan(clustered_rate([], []).value)


@pytest.mark.parametrize(("hits", "trials"), [(-1, 3), (4, 3)])
def test_hits_that_cannot_be_are_an_error(hits: int, trials: int) -> None:
    for call in (lambda: clopper_pearson(hits, trials), lambda: clustered_rate([hits] * 6, [trials] * 6)):
        with pytest.raises(ValueError):
            call()


def test_works_whose_trials_all_agree_count_as_one_trial_each() -> None:
    found = clustered_rate([10] * 4 + [0] * 16, [10] * 20)
    low, high = clopper_pearson(4, 20)
    assert found.value == 0.2 and found.units == 20
    assert (found.low, found.high) == (pytest.approx(low, abs=0.03), pytest.approx(high, abs=0.03))
    alike = clustered_rate([2] * 20, [10] * 20)  # no work differs from another: nothing says they depend
    assert (alike.low, alike.high) == pytest.approx(clopper_pearson(40, 200))


def test_a_rate_of_0_counts_one_trial_per_work() -> None:
    assert clustered_rate([0] * 20, [15] * 20).high == pytest.approx(clopper_pearson(0, 20)[1])
    assert clustered_rate([15] * 20, [15] * 20).low == pytest.approx(clopper_pearson(20, 20)[0])


def test_few_works_are_unknown() -> None:
    found = clustered_rate([1, 0, 2, 0, 0], [9, 9, 9, 9, 0])
    assert (found.low, found.high, found.units) == (-math.inf, math.inf, 4)


@given(st.lists(st.integers(1, 30).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=5, max_size=20))
def test_it_is_never_surer_than_independent_trials_are(works: list[tuple[int, int]]) -> None:
    hits, trials = np.array(works).T
    found, (low, high) = clustered_rate(hits, trials), clopper_pearson(hits.sum(), trials.sum())
    assert found.low <= low + 1e-9 and high <= found.high + 1e-9
    assert 0 <= found.low <= found.value <= found.high <= 1


def coverage_rates(likeness: float, works: int, repeats: int) -> float:
    """Works of different size with a rate of their own around 5 %; the smaller `likeness`, the more works are all or nothing."""
    random, held = np.random.default_rng(9), 0
    for _ in range(repeats):
        trials = random.integers(1, 40, works)
        found = clustered_rate(random.binomial(trials, random.beta(0.05 * likeness, 0.95 * likeness, works)), trials)
        held += found.low <= 0.05 <= found.high
    return held / repeats


@pytest.mark.parametrize(("likeness", "works"), [(1000, 12), (10, 12), (10, 40)])
def test_the_interval_holds_the_truth_rates(likeness: float, works: int) -> None:
    assert coverage_rates(likeness, works, 200) >= 0.93


@pytest.mark.soak
@pytest.mark.parametrize("works", [6, 12, 40, 100])
@pytest.mark.parametrize("likeness", [1000, 100, 10, 1])
def test_the_interval_holds_the_truth_at_full_counts(likeness: float, works: int) -> None:
    found = coverage_rates(likeness, works, 2000)
    print(f"coverage of 95 %, rate 5 %, likeness {likeness}, {works} works: {found:.1%}")
    assert found >= (
        0.87 if likeness == 1 else 0.93
    )  # 1: nearly all works are all or nothing, and twelve of them see it once or not at all


ranges = st.sampled_from([(0.0, 1.0), (0.0, math.inf), (-math.inf, 1.0), (-1.0, 1.0), (1.0, math.inf), (-math.inf, math.inf)])


@given(ranges, st.floats(0.0001, 0.9999), st.floats(0, 100))
def test_an_interval_stays_in_the_range_and_around_the_value(limits: tuple[float, float], position: float, half: float) -> None:
    least, most = limits
    low_end, high_end = max(least, -3.0), min(most, 4.0)
    value = low_end + position * (high_end - low_end)
    low, high = interval_within(value, half, least, most)
    assert least <= low <= value + 1e-12 and value - 1e-12 <= high <= most
    if least <= value - half and value + half <= most:
        assert (low, high) == (value - half, value + half)
    wider = interval_within(value, 2 * half, least, most)
    if not (least <= value - half and value + half <= most):
        assert wider[0] <= low + 1e-9 and high <= wider[1] + 1e-9


def test_a_token_accuracy_of_8_per_cent_stays_above_0() -> None:
    low, high = interval_within(0.08, 0.227, 0, 1)  # was −14.7 % to 30.7 %
    assert (round(low, 3), round(high, 3)) == (0.004, 0.655)


def coverage_in_range(law: str, units: int, repeats: int, resamples: int) -> tuple[float, float]:
    """How often the interval inside the range and the plain one hold the truth, of those draws in which resampling gives an interval."""
    random, held, plain, measured = np.random.default_rng(7), 0, 0, 0
    for seed in range(repeats):
        if law == "share":
            weights = random.lognormal(5, 1, units).astype(int) + 5
            values, truth, limits = random.binomial(weights, random.beta(0.4, 4.6, units)), 0.08, (0.0, 1.0)
        else:
            weights = random.lognormal(0, 1, units)
            values, truth, limits = weights * random.exponential(1, units), 1.0, (0.0, math.inf)
        inside = ratio_estimate(values, weights, seed=seed, resamples=resamples, least=limits[0], most=limits[1])
        outside = ratio_estimate(values, weights, seed=seed, resamples=resamples)
        if math.isfinite(inside.high):
            measured += 1
            held += inside.low <= truth <= inside.high
            plain += outside.low <= truth <= outside.high
            assert limits[0] <= inside.low <= inside.high <= limits[1]
    return held / measured, plain / measured


@pytest.mark.parametrize("law", ["share", "positive"])
def test_the_interval_inside_the_range_holds_the_truth_as_often_as_the_plain_one(law: str) -> None:
    inside, plain = coverage_in_range(law, 8, 200, 200)
    assert inside >= max(plain - 0.01, 0.92)


@pytest.mark.soak
@pytest.mark.parametrize("units", [5, 8, 12, 30])
@pytest.mark.parametrize("law", ["share", "positive"])
def test_the_interval_inside_the_range_holds_the_truth_at_full_counts(law: str, units: int) -> None:
    inside, plain = coverage_in_range(law, units, 2000, 500)
    print(f"coverage of 95 % inside the range, {law}, {units} units: {inside:.1%}, plain {plain:.1%}")
    assert inside >= plain - 0.005 and inside >= 0.91
