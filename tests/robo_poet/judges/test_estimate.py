import math
from typing import Any

import pytest

from robo_poet.judges.estimate import MINIMUM_UNITS, Estimate, GateInput, Shortage, finite, too_few_units


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


def test_a_shortage_says_both_counts_and_survives_json() -> None:
    shortage = Shortage("prompts in group religion/atheists", 1500, 11, remedy="--set audit.prompts=4500")
    assert shortage.text == "11 prompts in group religion/atheists, 1,500 needed" and shortage.is_amount
    assert Shortage.from_json(shortage.to_json()) == shortage


@pytest.mark.parametrize(
    "shortage",
    [Shortage("x", 5, 0), Shortage("x", 5, 5), Shortage("x", 5, 9), Shortage("x", 5, 3, "missing"), Shortage("x", 5, 3, "doubt")],
)
def test_only_something_that_is_less_than_needed_is_an_amount(shortage: Shortage) -> None:
    assert not shortage.is_amount


@pytest.mark.parametrize(
    "value",
    [
        None, [], {}, {"what": "x", "needed": 5}, {"what": 3, "needed": 5, "there": 1}, {"what": "x", "needed": "5", "there": 1},
        {"what": "x", "needed": math.nan, "there": 1}, {"what": "x", "needed": 5, "there": -1}, {"what": "x", "needed": True, "there": 0},
        {"what": "x", "needed": 5, "there": 1, "kind": "perhaps"}, {"what": "x", "needed": 5, "there": 1, "remedy": None},
    ],
)  # fmt: skip
def test_what_is_no_shortage_is_an_error(value: Any) -> None:
    with pytest.raises(ValueError, match="shortage"):
        Shortage.from_json(value)


def test_too_few_units_are_named_and_many_units_without_an_interval_are_doubled() -> None:
    few = too_few_units(Estimate(1.0, -math.inf, math.inf, 3, "work"), " of author=Ann")
    assert few.text == f"3 works of author=Ann, {MINIMUM_UNITS} needed"
    assert too_few_units(Estimate(1.0, -math.inf, math.inf, 8)).text == "8 units, 16 needed"
