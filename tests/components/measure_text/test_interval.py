import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from components.measure_text.interval import jackknife, percentile, value
from components.measure_text.measure import mean, ratio, share
from robo_poet.judges.bootstrap import MINIMUM_UNITS
from robo_poet.judges.units import Units

NUMBERS = st.lists(st.floats(-100, 100), min_size=MINIMUM_UNITS, max_size=40)


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


def test_few_units_have_no_interval_and_no_number_none_either():
    few = percentile(mean([1.0, 2.0] * 4).statistic, np.arange(8) % 4, resamples=100, confidence=0.95, seed=0)
    assert (few.value, few.low, few.high) == (1.5, -np.inf, np.inf)
    nothing = jackknife(ratio([0] * 6, [0] * 6).statistic, np.arange(6), confidence=0.95)
    assert np.isnan(nothing.value) and nothing.high == np.inf


def test_what_rests_on_one_of_many_units_is_not_certain():
    """Such as the variety of the one place that overlaps no other, of a held-out text of a few lines."""
    one = jackknife(ratio([5, *[0] * 6], [7, *[0] * 6]).statistic, np.arange(7), confidence=0.95)
    assert (one.value, one.low, one.high) == (5 / 7, -np.inf, np.inf)


@given(st.integers(5, 200), st.data())
def test_a_share_of_independent_rows_has_the_exact_interval_and_one_of_works_is_less_sure(count, data):
    hits = data.draw(st.integers(0, count))
    measure = share([row < hits for row in range(count)])
    found = measure.estimate(Units("document", np.arange(count)), resamples=100, confidence=0.95, seed=1)
    exact = stats.binomtest(hits, count).proportion_ci(0.95, "exact")
    assert found.low <= exact.low + 1e-6 and found.high >= exact.high - 1e-6 and found.value == pytest.approx(hits / count)
    works = measure.estimate(Units("work", np.arange(count) // 2), resamples=100, confidence=0.95, seed=1)
    assert works.low <= found.low + 1e-6 or works.high >= found.high - 1e-6


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
