import math
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.evaluation.likelihood import SLICES
from robo_poet.judges.gate import OVERALL, Gate, parse_slice, select, slice_key

VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(["", "*", "a=b,c", "%2C", "\n", "100 %"])
SLICE = st.dictionaries(st.sampled_from(SLICES), VALUES, max_size=3)


@given(SLICE, SLICE)
def test_two_slices_have_two_keys(one: dict[str, str], other: dict[str, str]) -> None:
    assert (slice_key(one) == slice_key(other)) == (one == other)


@given(SLICE)
def test_a_key_is_one_line_and_escapes_commas_and_stars_of_values(values: dict[str, str]) -> None:
    key = slice_key(values)
    assert key.count(",") == max(len(values) - 1, 0) and key.count("=") == len(values) and "*" not in key and "\n" not in key


def test_examples_of_slice_keys() -> None:
    assert slice_key({}) == OVERALL == ""
    assert slice_key({"period": "1800s", "author": "John Keats"}) == "author=John Keats,period=1800s"
    assert slice_key({"author": "Marlowe, Christopher"}) == "author=Marlowe%2C Christopher"
    assert slice_key({"period": ""}) == "period="


names = st.sampled_from(["author", "period", "source", "language", "length"])
values = st.one_of(
    st.sampled_from(["Shakespeare", "1600s", "Kyd, Thomas", "a=b", "*", "", "Ben Jonson", "a,period=b"]), st.text(max_size=8)
)
features = st.dictionaries(names, values, max_size=3)

KEYS = [
    "author=Shakespeare",
    "author=Kyd%2C Thomas",
    "author=",
    "period=1600s",
    "author=Shakespeare,period=1600s",
    "author=Marlowe,period=1580s",
    "nonsense",
    "",
]


@given(features)
def test_the_gates_read_what_evaluation_writes(found: dict[str, str]) -> None:
    key = slice_key(found)
    assert list(parse_slice(key)) == sorted(found)
    assert {name: unquote(value) for name, value in parse_slice(key).items()} == found
    assert select(key, [key]) == [key], "a slice is named by its own key"
    assert select(",".join(f"{name}=*" for name in found), [key]) == [key]


@given(features, features)
def test_two_slices_have_two_names(one: dict[str, str], other: dict[str, str]) -> None:
    assert (slice_key(one) == slice_key(other)) == (one == other)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("author", "'author' is not"),
        ("=x", "is not"),
        ("a=1,a=2", "a is given twice"),
        ("9=x", "is not feature=value"),
        ("a=b=c", "is not feature=value"),
        ("author=Kyd, Thomas", "' Thomas' is not feature=value"),
    ],
)
def test_an_invalid_slice_key_is_an_error(key: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_slice(key)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("author=Shakespeare", ["author=Shakespeare"]),
        ("author=*", ["author=", "author=Kyd%2C Thomas", "author=Shakespeare"]),
        ("author=", ["author="]),
        ("period=1600s, author=Shakespeare", ["author=Shakespeare,period=1600s"]),
        ("author=*,period=*", ["author=Marlowe,period=1580s", "author=Shakespeare,period=1600s"]),
        ("author=*,period=1600s", ["author=Shakespeare,period=1600s"]),
        ("author=Webster", []),
        ("source=*", []),
    ],
)
def test_a_gate_selects_one_slice_or_all_of_a_feature(wanted: str, found: list[str]) -> None:
    assert select(wanted, KEYS) == found


@pytest.mark.parametrize(
    ("gate", "bound"),
    [
        (Gate("perplexity", max=100), "<= 100"),
        (Gate("bleu", min=0.3, max=1), ">= 0.3 and <= 1"),
        (Gate("bits_per_byte", against="champion", margin=0.02), "<= champion + 0.02"),
        (Gate("token_accuracy", against="champion", margin=0.01), ">= champion - 1%"),
        (Gate("toxic_share", max=0.05), "<= 5%"),
        (Gate("edge_megabytes", max=8), "<= 8 MB"),
    ],
)
def test_the_bound_is_in_the_unit_of_the_metric(gate: Gate, bound: str) -> None:
    assert (gate.fault(), gate.bound) == ("", bound)


CHAMPION: Any = {"against": "champion"}
NO_BOUND = "gate on x has no bound: give min or max, a finite number"
NO_MARGIN = "gate on bits_per_byte against the champion needs a margin: a finite number, 0 or more"


@pytest.mark.parametrize(
    ("gate", "fault"),
    [
        (Gate("x"), NO_BOUND),
        (Gate("x", max=math.nan), NO_BOUND),
        (Gate("x", min=0, max=math.inf), NO_BOUND),
        (Gate("x", min=2, max=1), "gate on x can never pass: min is above max"),
        (Gate("x", max=1, margin=0.1), "gate on x has a margin but no comparison: add against: champion"),
        (Gate("x", max=1, slice="author"), "gate on x: wrong slice: 'author' is not feature=value"),
        (Gate("x", max=1, on_unknown="accept"), "gate on x: on_unknown is 'accept'; use reject, warn or pass"),  # type: ignore[arg-type]
        (Gate("bits_per_byte", **CHAMPION), NO_MARGIN),
        (Gate("bits_per_byte", margin=-0.1, **CHAMPION), NO_MARGIN),
        (Gate("bits_per_byte", margin=math.nan, **CHAMPION), NO_MARGIN),
        (Gate("bits_per_byte", margin=math.inf, **CHAMPION), NO_MARGIN),
        (
            Gate("bits_per_byte", max=3, margin=0.1, **CHAMPION),
            "gate on bits_per_byte has a bound and compares with the champion: make two gates",
        ),
        (Gate("x", margin=0.1, **CHAMPION), "gate on x cannot compare with the champion: the metric has no better direction"),
        (Gate("x", margin=0.1, against="human"), "gate on x: against is 'human'; only champion is possible"),  # type: ignore[arg-type]
    ],
)
def test_a_gate_that_cannot_judge_says_why(gate: Gate, fault: str) -> None:
    assert gate.fault() == fault
    assert gate.bound is not None


def test_a_gate_is_written_without_its_defaults() -> None:
    assert Gate("bleu", min=0.3).to_json() == {"metric": "bleu", "min": 0.3}
    assert Gate("bleu", against="champion", margin=0.0).to_json() == {"metric": "bleu", "against": "champion", "margin": 0.0}
