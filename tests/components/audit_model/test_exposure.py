import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from components.audit_model.exposure import chance, exposure

SPACE = 10**6


def test_a_uniform_rank_has_the_exposure_of_chance() -> None:
    candidates = np.arange(255.0)
    each = [exposure(place - 0.5, candidates, SPACE).sampled.value for place in range(256)]  # every rank once
    assert np.mean(each) == pytest.approx(chance(255)) == pytest.approx(1.42, abs=0.005)
    assert chance(10**6) == pytest.approx(1 / math.log(2), abs=1e-4)


@given(st.integers(0, 255), st.integers(31, 255))
def test_it_is_the_carlini_formula_within_its_interval_and_within_what_the_sample_can_tell(better: int, count: int) -> None:
    better = min(better, count)
    candidates = np.concatenate([np.full(better, 1.0), np.full(count - better, -1.0)])
    found = exposure(0.0, candidates, SPACE).sampled
    assert found.value == pytest.approx(math.log2(count + 1) - math.log2(better + 1))
    assert 0 <= found.low <= found.value <= found.high <= math.log2(SPACE)
    assert found.value <= math.log2(count + 1) and found.units == count


def test_the_interval_is_clopper_and_pearsons() -> None:
    candidates = np.concatenate([np.full(10, 1.0), np.full(90, -1.0)])
    found = exposure(0.0, candidates, SPACE).sampled
    low, high = stats.binomtest(10, 100).proportion_ci(0.95, "exact")
    assert (found.low, found.high) == pytest.approx((-math.log2(high), -math.log2(low)))


def test_equal_likelihoods_are_no_knowledge() -> None:
    found = exposure(-5.0, np.full(100, -5.0), SPACE)
    assert found.sampled.value == 0 == found.extrapolated


@pytest.mark.parametrize("shape", [0.0, -2.0, 3.0])
def test_the_extrapolation_finds_a_skew_normals_own_tail(shape: float) -> None:
    candidates = stats.skewnorm.rvs(shape, -40, 5, size=20_000, random_state=3)
    for quantile in (0.5, 0.1, 0.001):
        secret = stats.skewnorm.isf(quantile, shape, -40, 5)
        assert exposure(secret, candidates, SPACE).extrapolated == pytest.approx(-math.log2(quantile), rel=0.12)
    assert exposure(1000.0, candidates, SPACE).extrapolated == math.log2(SPACE)


@pytest.mark.parametrize("where", ["secret", "candidate"])
def test_what_is_no_number_has_no_exposure(where: str) -> None:
    candidates = np.arange(50.0)
    candidates[3] = math.nan if where == "candidate" else 3.0
    found = exposure(math.nan if where == "secret" else 1.0, candidates, SPACE)
    assert math.isnan(found.sampled.value) and math.isnan(found.extrapolated)
