import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.measure_text.interval import value
from components.measure_text.measure import largest, mean, median, on_rows, ratio, share
from robo_poet.judges.bootstrap import ratio_estimate
from robo_poet.judges.units import Units

NUMBERS = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30)
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


@given(NUMBERS, st.data())
def test_a_measure_of_some_rows_does_not_see_the_others(numbers, data):
    chosen = data.draw(st.lists(st.integers(0, len(numbers) - 1), unique=True, min_size=1))
    part = on_rows(mean([numbers[row] for row in chosen]), chosen, len(numbers))
    assert value(part.statistic, len(numbers)) == pytest.approx(np.mean([numbers[row] for row in chosen]))
    assert [row for row, number in enumerate(part.rows) if np.isfinite(number)] == sorted(chosen)


def test_a_share_that_all_agree_on_is_not_certain():
    options = {"resamples": 100, "seed": 1}
    none = share([False] * 100).estimate(Units("document", np.arange(100)), **options)
    assert (none.value, none.low, none.high) == (0, 0, pytest.approx(0.0362, abs=1e-4))  # of 100, by the tables
    some = share([True] * 10 + [False] * 90).estimate(Units("document", np.arange(100)), **options)
    assert 0.02 < some.low < 0.1 < some.high < 0.2
    few = on_rows(share([False] * 10), range(10), 100).estimate(Units("document", np.arange(100)), **options)
    assert few.high == pytest.approx(0.3085, abs=1e-4)  # of 10


def test_a_maximum_and_a_median_have_no_interval():
    for without in (largest, median):
        assert without([1, 5, 2] * 4).estimate(Units("document", np.arange(12)), resamples=100, seed=1).high == np.inf


@given(NUMBERS.filter(lambda numbers: len(numbers) > 5))
def test_a_mean_has_the_judges_interval(numbers):
    found = mean(numbers).estimate(Units("work", np.arange(len(numbers)) // 2), resamples=100, seed=3)
    sums, counts = (np.bincount(np.arange(len(numbers)) // 2, of) for of in (numbers, np.ones(len(numbers))))
    assert found == ratio_estimate(sums, counts, resamples=100, seed=3)


@given(st.lists(st.integers(0, 3), min_size=4, max_size=4).filter(any))
def test_two_measures_are_weighted_together(drawn):
    weights, one, other = np.asarray([drawn], float), mean([1.0, 2.0, 4.0, 9.0]), mean([2.0, 1.0, 2.0, 3.0])
    first, second = one.statistic(weights)[0], other.statistic(weights)[0]
    assert one.less(other).statistic(weights)[0] == first - second
    assert one.over(other).statistic(weights)[0] == first / second
    assert np.isnan(one.over(mean([0.0] * 4)).statistic(weights)[0])
