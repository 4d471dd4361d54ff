import re

from hypothesis import given
from hypothesis import strategies as st

from serving.telemetry.pseudonym import Pseudonyms

ONE, OTHER = Pseudonyms(b"1" * 32), Pseudonyms(b"2" * 32)
TEXTS = st.text() | st.just("\ud800")


@given(TEXTS)
def test_the_same_under_one_key_and_another_under_another(value: str) -> None:
    assert re.fullmatch("[0-9a-f]{32}", ONE.user(value))
    assert re.fullmatch("[0-9a-f]{64}", ONE.text(value))
    assert ONE.user(value) == Pseudonyms(b"1" * 32).user(value) != OTHER.user(value)
    assert ONE.texts([value, value]) == [ONE.text(value)] * 2
    assert ONE.text(value) != OTHER.text(value)
    assert not ONE.text(value).startswith(ONE.user(value))  # a text that is a user's name does not carry the pseudonym


@given(TEXTS, TEXTS)
def test_different_values_differ(one: str, other: str) -> None:
    assert (ONE.user(one) == ONE.user(other)) == (one == other)
