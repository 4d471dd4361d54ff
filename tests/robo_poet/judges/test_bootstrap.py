import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.judges.bootstrap import MINIMUM_UNITS, draws, ratio_estimate, studentised, upper_quantile
from robo_poet.judges.ratio import ratio
from tests.robo_poet.judges.laws import LAWS

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
def test_too_few_or_no_numbers_are_unknown(values: list[float]) -> None:
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


def test_a_draw_is_studentised_by_its_own_spread() -> None:
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
def test_each_draw_is_as_many_units_as_there_are(units: int, resamples: int, seed: int) -> None:
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
