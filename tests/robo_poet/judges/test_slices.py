from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.evaluation.slice_key import slice_key
from robo_poet.judges.slices import parse_slice, select

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
def test_two_slices_never_have_one_name(one: dict[str, str], other: dict[str, str]) -> None:
    assert (slice_key(one) == slice_key(other)) == (one == other)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("author", "'author' is not"),
        ("=x", "is not"),
        ("a=1,a=2", "a is there twice"),
        ("9=x", "is not feature=value"),
        ("a=b=c", "is not feature=value"),
        ("author=Kyd, Thomas", "' Thomas' is not feature=value"),
    ],
)
def test_what_is_no_name_is_an_error(key: str, message: str) -> None:
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
def test_a_slice_or_each_of_a_feature(wanted: str, found: list[str]) -> None:
    assert select(wanted, KEYS) == found
