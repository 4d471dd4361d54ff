import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.gateway.writing.characters import kept_characters
from serving.gateway.writing.job import sanitised
from serving.refusal import Refused

ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("the rose\n\tsleeps", "the rose\n\tsleeps"),
        ("cafe\u0301", "caf\u00e9"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\x00b\x1b[2J\x7f\x85", "ab[2J"),
        ("z\u200be\u200dr\ufeffo\u00ad \u202eevil\u2066", "zero evil"),
        ("\U000e0041tags", "tags"),
        ("\u00a0\u2019\u6708\U0001f339", "\u00a0\u2019\u6708\U0001f339"),
    ],
)
def test_control_characters_are_removed_and_characters_composed(text: str, cleaned: str) -> None:
    assert sanitised(text, "text") == cleaned


@given(ANY)
def test_sanitising_twice_changes_nothing(text: str) -> None:
    once = sanitised(text, "text")
    assert sanitised(once, "text") == once == unicodedata.normalize("NFC", once)
    assert all(kept_characters(once))


@pytest.mark.parametrize("text", ["a\ud800b", "\udfff", "e" + "\u0301\u0323" * 16, "e" + ("\u0301" * 20 + "\u200b") * 2])
def test_unpaired_surrogates_and_many_combining_marks_are_refused(text: str) -> None:
    with pytest.raises(Refused, match="text: ") as refused:
        sanitised(text, "text")
    assert refused.value.status == 422
