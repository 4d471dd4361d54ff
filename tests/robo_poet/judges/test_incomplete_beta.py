import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from robo_poet.judges.incomplete_beta import beta_quantile, incomplete_beta

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
    with pytest.raises(ValueError, match="no incomplete beta function"):
        incomplete_beta(a, b, x)
