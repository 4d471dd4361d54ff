import math

import pytest

from robo_poet.judges.estimate import Estimate, GateInput, finite


@pytest.mark.parametrize(("value", "number"), [(1, 1.0), (-0.5, -0.5), (0, 0.0)])
def test_a_finite_number_is_returned_as_float(value: object, number: float) -> None:
    assert finite(value) == number


@pytest.mark.parametrize("value", [None, True, "1", [1], math.nan, math.inf, -math.inf, 10**400])
def test_any_other_value_is_none(value: object) -> None:
    assert finite(value) is None


def test_a_metric_is_known_if_any_slice_has_it() -> None:
    estimate = Estimate(1.0, 0.5, 1.5, 12)
    measured = GateInput({"a": None}, slices={"author=x": {"b": estimate}}, differences={"": {"c": estimate}, "author=y": {}})
    assert [name for name in "abcd" if measured.has_metric(name)] == ["a", "b", "c"]


def test_the_overall_slice_is_no_key() -> None:
    estimate = Estimate(1.0, 0.5, 1.5, 12)
    assert GateInput({}, slices={"author=x": {"b": estimate}}, differences={"": {"c": estimate}, "author=y": {}}).slice_keys() == {
        "author=x",
        "author=y",
    }
