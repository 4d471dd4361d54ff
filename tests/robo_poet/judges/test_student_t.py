import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from robo_poet.judges.student_t import quantile, upper_tail

degrees = st.floats(1, 10_000)


@given(st.floats(-50, 50), degrees)
def test_the_tail_equals_scipys(t: float, freedom: float) -> None:
    assert upper_tail(t, freedom) == pytest.approx(stats.t.sf(t, freedom), rel=1e-7, abs=1e-14)


@given(st.floats(1e-5, 1 - 1e-5), degrees)
def test_the_quantile_equals_scipys(probability: float, freedom: float) -> None:
    assert quantile(probability, freedom) == pytest.approx(stats.t.ppf(probability, freedom), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("probability", "freedom", "t"), [(0.975, 1, 12.706), (0.975, 10, 2.228), (0.95, 30, 1.697), (0.995, 4, 4.604)])
def test_the_quantile_is_what_the_printed_tables_say(probability: float, freedom: float, t: float) -> None:
    assert round(quantile(probability, freedom), 3) == t


def test_the_ends() -> None:
    assert (upper_tail(math.inf, 3), upper_tail(-math.inf, 3), quantile(0.5, 7)) == (0, 1, 0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile(1.0, 5)
