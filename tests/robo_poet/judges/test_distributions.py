import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from robo_poet.judges.distributions import beta_quantile, incomplete_beta, quantile, upper_tail

sizes = st.floats(0.01, 10_000)
shares = st.floats(0, 1)


@given(sizes, sizes, shares)
def test_it_equals_scipys(a: float, b: float, x: float) -> None:
    assert incomplete_beta(a, b, x) == pytest.approx(special.betainc(a, b, x), abs=1e-10)


@given(st.floats(0.5, 500), st.floats(0.5, 500), st.floats(0.001, 0.999))
def test_the_quantile_is_its_inverse(a: float, b: float, probability: float) -> None:
    assert incomplete_beta(a, b, beta_quantile(a, b, probability)) == pytest.approx(probability, abs=1e-9)


def test_with_whole_numbers_it_is_a_binomial_tail() -> None:
    # I_x(k, n − k + 1) = P(at least k of n): two of three heads of a coin that shows one in four
    assert incomplete_beta(2, 2, 0.25) == pytest.approx(3 * 0.25**2 * 0.75 + 0.25**3, abs=1e-14)


@pytest.mark.parametrize(("a", "b", "x"), [(0, 1, 0.5), (1, -1, 0.5), (1, 1, 1.1), (1, 1, float("nan"))])
def test_outside_its_domain_it_is_an_error(a: float, b: float, x: float) -> None:
    with pytest.raises(ValueError, match="the incomplete beta function is not defined"):
        incomplete_beta(a, b, x)


degrees = st.floats(1, 10_000)


@given(st.floats(-50, 50), degrees)
def test_the_tail_equals_scipys(t: float, freedom: float) -> None:
    assert upper_tail(t, freedom) == pytest.approx(stats.t.sf(t, freedom), rel=1e-7, abs=1e-14)


@given(st.floats(1e-5, 1 - 1e-5), degrees)
def test_the_quantile_equals_scipys(probability: float, freedom: float) -> None:
    assert quantile(probability, freedom) == pytest.approx(stats.t.ppf(probability, freedom), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("probability", "freedom", "t"), [(0.975, 1, 12.706), (0.975, 10, 2.228), (0.95, 30, 1.697), (0.995, 4, 4.604)])
def test_quantiles_equal_the_printed_tables(probability: float, freedom: float, t: float) -> None:
    assert round(quantile(probability, freedom), 3) == t


def test_the_ends() -> None:
    assert (upper_tail(math.inf, 3), upper_tail(-math.inf, 3), quantile(0.5, 7)) == (0, 1, 0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile(1.0, 5)
