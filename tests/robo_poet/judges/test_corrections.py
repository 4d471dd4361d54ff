import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.judges.corrections import holm

p_values = st.lists(st.floats(0, 1), max_size=12)

# The 15 ordered p-values of Benjamini & Hochberg (1995), section 4.
WORKED = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]  # fmt: skip


def test_the_worked_example_of_the_paper() -> None:
    assert [p <= 0.05 for p in holm(WORKED)] == [True] * 3 + [False] * 12
    assert holm(WORKED)[:4] == pytest.approx([0.0015, 0.0056, 0.0247, 0.114])


def test_holm_by_hand() -> None:
    # 3 × 0.01, 2 × 0.02, and 1 × 0.03 is held up by the one before
    assert holm([0.03, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])


@given(p_values, st.randoms(use_true_random=False))
def test_adjusted_values_are_larger_in_the_same_order_whatever_the_order_given(given_values: list[float], random) -> None:
    adjusted = holm(given_values)
    assert all(p <= q + 1e-15 and q <= 1 for p, q in zip(given_values, adjusted, strict=True))
    ranked = [q for _, q in sorted(zip(given_values, adjusted, strict=True))]
    assert ranked == sorted(ranked)
    shuffled = random.sample(range(len(given_values)), len(given_values))
    assert holm([given_values[i] for i in shuffled]) == pytest.approx([adjusted[i] for i in shuffled])


@given(p_values.filter(bool), st.data())
def test_a_smaller_p_value_makes_no_adjusted_one_larger(given_values: list[float], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(given_values) - 1))
    smaller = [p * 0.5 if i == place else p for i, p in enumerate(given_values)]
    assert all(new <= old for new, old in zip(holm(smaller), holm(given_values), strict=True))


@given(p_values)
def test_it_is_milder_than_bonferroni(given_values: list[float]) -> None:
    for p, adjusted in zip(given_values, holm(given_values), strict=True):
        assert adjusted <= min(1, len(given_values) * p) + 1e-12


def test_holm_keeps_the_chance_of_any_false_alarm() -> None:
    random = np.random.default_rng(5)
    tests = random.random((1000, 12))
    assert np.mean([min(row) <= 0.05 for row in tests]) > 0.4  # uncorrected
    assert np.mean([min(holm(row)) <= 0.05 for row in tests.tolist()]) <= 0.06


@pytest.mark.parametrize("wrong", [-0.1, 1.1, math.nan])
def test_what_is_no_probability_is_an_error(wrong: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        holm([0.5, wrong])
