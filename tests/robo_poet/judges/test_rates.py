import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from robo_poet.judges.rates import clopper_pearson, clustered_rate

counts = st.integers(1, 500).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


def test_the_worked_examples_of_newcombe_1998() -> None:
    """Table I: method 5, four decimals."""
    table = {(81, 263): (0.2527, 0.3676), (15, 148): (0.0578, 0.1617), (0, 20): (0.0000, 0.1684), (1, 29): (0.0009, 0.1776)}
    for (hits, trials), exact in table.items():
        assert tuple(round(limit, 4) for limit in clopper_pearson(hits, trials)) == exact


@given(counts, st.sampled_from([0.8, 0.95, 0.99]))
def test_the_limits_equal_scipys(given_counts: tuple[int, int], confidence: float) -> None:
    hits, trials = given_counts
    exact = binomtest(hits, trials).proportion_ci(confidence)
    assert clopper_pearson(hits, trials, confidence=confidence) == pytest.approx((exact.low, exact.high), abs=1e-9)


@given(counts)
def test_the_misses_have_the_mirrored_interval(given_counts: tuple[int, int]) -> None:
    hits, trials = given_counts
    low, high = clopper_pearson(hits, trials)
    assert clopper_pearson(trials - hits, trials) == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_no_trial_is_unknown() -> None:
    with pytest.raises(ValueError, match="no trial"):
        clopper_pearson(0, 0)
    assert math.isnan(clustered_rate([], []).value)


@pytest.mark.parametrize(("hits", "trials"), [(-1, 3), (4, 3)])
def test_hits_that_cannot_be_are_an_error(hits: int, trials: int) -> None:
    for call in (lambda: clopper_pearson(hits, trials), lambda: clustered_rate([hits] * 6, [trials] * 6)):
        with pytest.raises(ValueError):
            call()


def test_works_that_agree_within_themselves_count_as_one_trial_each() -> None:
    found = clustered_rate([10] * 4 + [0] * 16, [10] * 20)
    low, high = clopper_pearson(4, 20)
    assert found.value == 0.2 and found.units == 20
    assert (found.low, found.high) == (pytest.approx(low, abs=0.03), pytest.approx(high, abs=0.03))
    alike = clustered_rate([2] * 20, [10] * 20)  # no work differs from another: nothing says they depend
    assert (alike.low, alike.high) == pytest.approx(clopper_pearson(40, 200))


def test_what_never_happened_counts_one_trial_a_work() -> None:
    assert clustered_rate([0] * 20, [15] * 20).high == pytest.approx(clopper_pearson(0, 20)[1])
    assert clustered_rate([15] * 20, [15] * 20).low == pytest.approx(clopper_pearson(20, 20)[0])


def test_few_works_are_unknown() -> None:
    found = clustered_rate([1, 0, 2, 0, 0], [9, 9, 9, 9, 0])
    assert (found.low, found.high, found.units) == (-math.inf, math.inf, 4)


@given(st.lists(st.integers(1, 30).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=5, max_size=20))
def test_it_is_never_surer_than_independent_trials_are(works: list[tuple[int, int]]) -> None:
    hits, trials = np.array(works).T
    found, (low, high) = clustered_rate(hits, trials), clopper_pearson(hits.sum(), trials.sum())
    assert found.low <= low + 1e-9 and high <= found.high + 1e-9
    assert 0 <= found.low <= found.value <= found.high <= 1


def coverage(likeness: float, works: int, repeats: int) -> float:
    """Works of different size with a rate of their own around 5 %; the smaller `likeness`, the more works are all or nothing."""
    random, held = np.random.default_rng(9), 0
    for _ in range(repeats):
        trials = random.integers(1, 40, works)
        found = clustered_rate(random.binomial(trials, random.beta(0.05 * likeness, 0.95 * likeness, works)), trials)
        held += found.low <= 0.05 <= found.high
    return held / repeats


@pytest.mark.parametrize(("likeness", "works"), [(1000, 12), (10, 12), (10, 40)])
def test_the_interval_holds_the_truth(likeness: float, works: int) -> None:
    assert coverage(likeness, works, 200) >= 0.93


@pytest.mark.soak
@pytest.mark.parametrize("works", [6, 12, 40, 100])
@pytest.mark.parametrize("likeness", [1000, 100, 10, 1])
def test_the_interval_holds_the_truth_at_full_counts(likeness: float, works: int) -> None:
    found = coverage(likeness, works, 2000)
    print(f"coverage of 95 %, rate 5 %, likeness {likeness}, {works} works: {found:.1%}")
    assert found >= (
        0.87 if likeness == 1 else 0.93
    )  # 1: nearly all works are all or nothing, and twelve of them see it once or not at all
