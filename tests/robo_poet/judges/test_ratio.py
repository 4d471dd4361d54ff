import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.judges.ratio import ratio

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


def test_units_of_nothing_are_left_out() -> None:
    found = ratio([1, 2, 0, 3], [1, 1, 0, 1])
    assert (found.units, found.value, found.residuals.shape) == (3, 2.0, (3,))


@pytest.mark.parametrize(("n", "d"), [([], []), ([1, 2], [0, 0]), ([1, math.nan], [1, 1]), ([math.inf, 1], [1, 1])])
def test_what_is_no_ratio_is_no_number(n: list[float], d: list[float]) -> None:
    found = ratio(n, d)
    assert math.isnan(found.value) and found.error == math.inf


def test_one_unit_says_nothing_about_its_error() -> None:
    assert (ratio([3], [2]).value, ratio([3], [2]).error) == (1.5, math.inf)


@pytest.mark.parametrize(
    ("n", "d", "message"),
    [
        ([1, 2], [1], "a numerator and a denominator a unit"),
        ([1], [-1], "negative"),
        ([1], [math.nan], "negative or no finite"),
        ([[1]], [[1]], "a unit"),
    ],
)
def test_wrong_input_is_an_error(n: list[float], d: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ratio(n, d)
