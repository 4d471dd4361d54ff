from hypothesis import given
from hypothesis import strategies as st

from robo_poet.evaluation.documents import SLICES
from robo_poet.evaluation.slice_key import OVERALL, slice_key

VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(["", "*", "a=b,c", "%2C", "\n", "100 %"])
SLICE = st.dictionaries(st.sampled_from(SLICES), VALUES, max_size=3)


@given(SLICE, SLICE)
def test_two_slices_have_two_keys(one: dict[str, str], other: dict[str, str]) -> None:
    assert (slice_key(one) == slice_key(other)) == (one == other)


@given(SLICE)
def test_a_key_is_one_line_and_holds_only_its_own_commas_and_stars(values: dict[str, str]) -> None:
    key = slice_key(values)
    assert key.count(",") == max(len(values) - 1, 0) and key.count("=") == len(values) and "*" not in key and "\n" not in key


def test_examples() -> None:
    assert slice_key({}) == OVERALL == ""
    assert slice_key({"period": "1800s", "author": "John Keats"}) == "author=John Keats,period=1800s"
    assert slice_key({"author": "Marlowe, Christopher"}) == "author=Marlowe%2C Christopher"
    assert slice_key({"period": ""}) == "period="
