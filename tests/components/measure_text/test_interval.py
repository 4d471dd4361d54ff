import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from components.measure_text.interval import jackknife, percentile, unanimous, units, value
from components.measure_text.measure import mean, ratio

NUMBERS = st.lists(st.floats(-100, 100), min_size=2, max_size=40)


def test_ten_works_are_units_and_nine_are_not():
    ten = [f"w{row % 10}" for row in range(30)]
    assert units(ten).tolist() == [row % 10 for row in range(30)]
    assert units([f"w{row % 9}" for row in range(30)]).tolist() == list(range(30))
    assert units([]).tolist() == []


@given(NUMBERS)
def test_the_jackknife_of_a_mean_is_the_textbook_s(numbers):
    found = jackknife(mean(numbers).statistic, np.arange(len(numbers)), confidence=0.95)
    reach = 1.959963985 * np.std(numbers, ddof=1) / np.sqrt(len(numbers))
    assert (found.value, found.low, found.high) == pytest.approx(
        (np.mean(numbers), np.mean(numbers) - reach, np.mean(numbers) + reach), abs=1e-6
    )


@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_the_bootstrap_is_scipy_s(confidence):
    numbers = np.random.default_rng(5).gamma(1.0, size=60)
    ours = percentile(mean(numbers).statistic, np.arange(60), resamples=20_000, confidence=confidence, seed=1)
    theirs = stats.bootstrap(
        (numbers,), np.mean, n_resamples=20_000, confidence_level=confidence, method="percentile", rng=2
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)
    assert ours.units == 60


def test_rows_of_a_work_are_drawn_together():
    """Twenty rows of a work say no more than one: the interval is that of ten numbers, not of two hundred."""
    numbers = np.random.default_rng(1).normal(size=10)
    rows, works = np.repeat(numbers, 20), np.repeat(np.arange(10), 20)
    together = percentile(mean(rows).statistic, works, resamples=2000, confidence=0.95, seed=3)
    few = percentile(mean(numbers).statistic, np.arange(10), resamples=2000, confidence=0.95, seed=3)
    assert (together.low, together.high, together.units) == pytest.approx((few.low, few.high, 10))
    assert together.high - together.low > 2 * np.std(numbers) / np.sqrt(200) * 2


def test_one_unit_has_no_interval_and_no_number_none_either():
    one = percentile(mean([1.0, 2.0]).statistic, np.zeros(2, np.int64), resamples=100, confidence=0.95, seed=0)
    assert (one.value, one.low, one.high) == (1.5, -np.inf, np.inf)
    nothing = jackknife(ratio([0, 0], [0, 0]).statistic, np.arange(2), confidence=0.95)
    assert np.isnan(nothing.value) and nothing.high == np.inf


def test_what_rests_on_one_of_many_units_is_not_certain():
    """Such as the variety of the one place that overlaps no other, of a held-out text of a few lines."""
    one = jackknife(ratio([5, 0, 0], [7, 0, 0]).statistic, np.arange(3), confidence=0.95)
    assert (one.value, one.low, one.high) == (5 / 7, -np.inf, np.inf)


@given(st.integers(1, 500), st.sampled_from([0.0, 1.0]), st.sampled_from([0.9, 0.95, 0.99]))
def test_a_unanimous_share_has_the_exact_interval(count, share, confidence):
    found = unanimous(share, count, confidence)
    exact = stats.binomtest(int(share * count), count).proportion_ci(confidence, "exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))


@given(NUMBERS)
def test_the_interval_of_a_constant_is_the_constant(numbers):
    same = [numbers[0]] * len(numbers)
    found = percentile(mean(same).statistic, np.arange(len(same)), resamples=100, confidence=0.9, seed=1)
    assert (found.low, found.high) == pytest.approx((numbers[0], numbers[0]))
    assert value(mean(same).statistic, len(same)) == pytest.approx(numbers[0])


@pytest.mark.soak
def test_ninety_five_of_a_hundred_intervals_hold_the_truth():
    random = np.random.default_rng(9)
    held = 0
    for seed in range(1000):
        works = random.normal(size=40)
        rows = np.repeat(works, 5) + random.normal(size=200)
        found = percentile(mean(rows).statistic, np.repeat(np.arange(40), 5), resamples=500, confidence=0.95, seed=seed)
        held += found.low <= 0 <= found.high
    assert 910 <= held <= 970
