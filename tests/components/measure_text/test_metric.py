import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from components.measure_text.metric import expand_to_rows, jackknife, largest, mean, median, ratio, share, value
from robo_poet.judges.intervals import MINIMUM_UNITS, ratio_estimate
from robo_poet.judges.units import Units

NUMBERS = st.lists(st.floats(-100, 100), min_size=MINIMUM_UNITS, max_size=40)


@given(NUMBERS)
def test_the_jackknife_of_a_mean_equals_the_textbook_formula(numbers):
    found = jackknife(mean(numbers).statistic, np.arange(len(numbers)))
    reach = stats.t.ppf(0.975, len(numbers) - 1) * np.std(numbers, ddof=1) / np.sqrt(len(numbers))
    assert (found.value, found.low, found.high) == pytest.approx(
        (np.mean(numbers), np.mean(numbers) - reach, np.mean(numbers) + reach), abs=1e-6
    )


def test_the_jackknife_leaves_out_all_rows_of_a_work():
    """Twenty rows of a work say no more than one: the interval is that of ten numbers, not of two hundred."""
    numbers = np.random.default_rng(1).normal(size=10)
    together = jackknife(mean(np.repeat(numbers, 20)).statistic, np.repeat(np.arange(10), 20))
    few = jackknife(mean(numbers).statistic, np.arange(10))
    assert (together.low, together.high, together.units) == pytest.approx((few.low, few.high, 10))


def test_few_units_or_a_nan_have_no_interval():
    few = jackknife(mean([1.0, 2.0] * 4).statistic, np.arange(8) % 4)
    assert (few.value, few.low, few.high) == (1.5, -np.inf, np.inf)
    nothing = jackknife(ratio([0] * 6, [0] * 6).statistic, np.arange(6))
    assert np.isnan(nothing.value) and nothing.high == np.inf


def test_a_value_that_one_unit_decides_has_no_narrow_interval():
    """Such as the variety of the one place that overlaps no other, of a held-out text of a few lines."""
    one = jackknife(ratio([5, *[0] * 6], [7, *[0] * 6]).statistic, np.arange(7))
    assert (one.value, one.low, one.high) == (5 / 7, -np.inf, np.inf)


@given(st.integers(5, 200), st.data())
def test_a_share_has_the_exact_interval_and_clustered_rows_a_wider_one(count, data):
    hits = data.draw(st.integers(0, count))
    measure = share([row < hits for row in range(count)])
    found = measure.estimate(Units("document", np.arange(count)), resamples=100, seed=1)
    exact = stats.binomtest(hits, count).proportion_ci(0.95, "exact")
    assert found.low <= exact.low + 1e-6 and found.high >= exact.high - 1e-6 and found.value == pytest.approx(hits / count)
    works = measure.estimate(Units("work", np.arange(count) // 2), resamples=100, seed=1)
    assert works.low <= found.low + 1e-6 or works.high >= found.high - 1e-6


@given(NUMBERS)
def test_the_interval_of_a_constant_is_the_constant(numbers):
    same = [numbers[0]] * len(numbers)
    found = jackknife(mean(same).statistic, np.arange(len(same)))
    assert (found.low, found.high) == pytest.approx((numbers[0], numbers[0]))
    assert value(mean(same).statistic, len(same)) == pytest.approx(numbers[0])


def held(units, repeats, seed):
    """Share of intervals that hold the truth: BLEU-like, a geometric mean of two ratios, of units of unequal size."""
    random, count = np.random.default_rng(seed), 0
    for _ in range(repeats):
        sizes = random.lognormal(3, 0.5, units)
        first, second = (random.binomial(np.ceil(sizes).astype(int), p) / np.ceil(sizes) * sizes for p in (0.3, 0.1))

        def statistic(weights, sizes=sizes, first=first, second=second):
            return np.sqrt((weights @ first) * (weights @ second)) / (weights @ sizes)

        found = jackknife(statistic, np.arange(units))
        count += found.low <= np.sqrt(0.3 * 0.1) <= found.high
    return count / repeats


def test_most_intervals_contain_the_true_value():
    assert held(12, 200, seed=1) >= 0.9


@pytest.mark.soak
@pytest.mark.parametrize("units", [5, 10, 16, 40])
def test_95_percent_of_the_intervals_contain_the_true_value(units):
    found = held(units, 2000, seed=units)
    print(f"jackknife of a geometric mean, {units} units: {found:.1%}")
    assert 0.93 <= found <= 0.975


NUMBERS_MEASURE = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30)
ROWS = st.lists(st.tuples(st.floats(-1e3, 1e3), st.integers(0, 4)), min_size=1, max_size=30).filter(lambda rows: any(w for _, w in rows))


@given(ROWS)
def test_weights_are_repetitions(rows):
    numbers, weights = [n for n, _ in rows], np.asarray([[w for _, w in rows]], float)
    repeated = np.repeat(numbers, weights[0].astype(int))
    assert mean(numbers).statistic(weights)[0] == pytest.approx(repeated.mean(), abs=1e-9)
    assert ratio(numbers, [2.0] * len(rows)).statistic(weights)[0] == pytest.approx(repeated.mean() / 2, abs=1e-9)
    assert median(numbers).statistic(weights)[0] == np.quantile(repeated, 0.5, method="inverted_cdf")
    assert largest(numbers).statistic(weights)[0] == repeated.max()


def test_rows_without_a_value_do_not_count():
    assert value(mean([1.0, np.nan, 3.0]).statistic, 3) == 2
    assert np.isnan(value(mean([np.nan]).statistic, 1))
    assert np.isnan(value(ratio([0, 0], [0, 0]).statistic, 2))


@given(NUMBERS_MEASURE, st.data())
def test_a_metric_of_some_rows_ignores_the_others(numbers, data):
    chosen = data.draw(st.lists(st.integers(0, len(numbers) - 1), unique=True, min_size=1))
    part = expand_to_rows(mean([numbers[row] for row in chosen]), chosen, len(numbers))
    assert value(part.statistic, len(numbers)) == pytest.approx(np.mean([numbers[row] for row in chosen]))
    assert [row for row, number in enumerate(part.rows) if np.isfinite(number)] == sorted(chosen)


def test_a_share_of_0_or_1_still_has_an_interval():
    options = {"resamples": 100, "seed": 1}
    none = share([False] * 100).estimate(Units("document", np.arange(100)), **options)
    assert (none.value, none.low, none.high) == (0, 0, pytest.approx(0.0362, abs=1e-4))  # of 100, by the tables
    some = share([True] * 10 + [False] * 90).estimate(Units("document", np.arange(100)), **options)
    assert 0.02 < some.low < 0.1 < some.high < 0.2
    few = expand_to_rows(share([False] * 10), range(10), 100).estimate(Units("document", np.arange(100)), **options)
    assert few.high == pytest.approx(0.3085, abs=1e-4)  # of 10


def test_a_maximum_and_a_median_have_no_interval():
    for without in (largest, median):
        assert without([1, 5, 2] * 4).estimate(Units("document", np.arange(12)), resamples=100, seed=1).high == np.inf


@given(NUMBERS_MEASURE.filter(lambda numbers: len(numbers) > 5))
def test_a_mean_has_the_judges_interval(numbers):
    found = mean(numbers).estimate(Units("work", np.arange(len(numbers)) // 2), resamples=100, seed=3)
    sums, counts = (np.bincount(np.arange(len(numbers)) // 2, of) for of in (numbers, np.ones(len(numbers))))
    assert found == ratio_estimate(sums, counts, resamples=100, seed=3)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=8, max_size=40))
def test_the_interval_of_a_difference_of_shares_is_wider_than_that_of_each_share(flags):
    of = Units("prompt", np.arange(len(flags)))
    one, other = (share(list(column)) for column in zip(*flags, strict=True))
    first, second, found = (each.estimate(of, resamples=100, seed=3) for each in (one, other, one.minus(other)))
    assert found.value == first.value - second.value and found.units == len(flags)
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert found.low <= max(-1, found.value - (first.value - first.low)) and found.high >= min(1, found.value + first.high - first.value)
    if not any(map(any, flags)):
        assert found.high == first.high > 0  # the jackknife of 0 − 0 would be one point


def test_a_difference_of_shares_has_no_interval_with_too_few_units():
    found = share([True, False, False]).minus(share([False, False, False])).estimate(Units("work", np.arange(3)), resamples=100, seed=3)
    assert found.value == pytest.approx(1 / 3) and (found.low, found.high) == (-np.inf, np.inf)


@given(st.lists(st.integers(0, 3), min_size=4, max_size=4).filter(any))
def test_difference_and_quotient_weight_both_metrics_alike(drawn):
    weights, one, other = np.asarray([drawn], float), mean([1.0, 2.0, 4.0, 9.0]), mean([2.0, 1.0, 2.0, 3.0])
    first, second = one.statistic(weights)[0], other.statistic(weights)[0]
    assert one.minus(other).statistic(weights)[0] == first - second
    assert one.divided_by(other).statistic(weights)[0] == first / second
    assert np.isnan(one.divided_by(mean([0.0] * 4)).statistic(weights)[0])
