import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.gateway.writing.characters import kept_characters, without_controls

JOINERS = "\u200c\u200d"
ANY = st.text(
    st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(JOINERS + "\u0645\u064e\u0915\u094da\U0001f469\ufe0f")), max_size=40
)


@pytest.mark.parametrize(
    "text",
    [
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian "I want", with ZWNJ
        "\u0646\u0627\u0645\u064e\u0647\u200c\u0627\u06cc",  # after a vowel sign
        "\u0915\u094d\u200d\u0937",  # Devanagari, ZWJ after a virama
        "\u0dc1\u0dca\u200d\u0dbb\u0dd3",  # Sinhala
        "\U0001f469\u200d\U0001f469\u200d\U0001f467",  # family
        "\U0001f469\U0001f3fd\u200d\U0001f680",  # with a skin tone
        "\u2764\ufe0f\u200d\U0001f525",  # with a variation selector
        "\U0001f3c3\u200d\u2640\ufe0f",
        "\u06dd\u0661",  # the end of a verse, a visible format character
    ],
)
def test_joiners_stay_where_they_change_the_text(text: str) -> None:
    assert without_controls(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("z\u200be\u200dr\u200co", "zero"),
        ("\u0645\u200b\u0645", "\u0645\u0645"),
        ("\u200c\u0645\u200c", "\u0645"),
        ("\u0645\u200c a", "\u0645 a"),
        ("\u0645\u200ca", "\u0645a"),
        ("\u0645\u200c\u200c\u200d\u0645", "\u0645\u200c\u0645"),
        ("\u0645\u200c\u202e\u0645", "\u0645\u200c\u0645"),
        ("\U0001f469\u200c\U0001f467", "\U0001f469\U0001f467"),
        ("1\u200d\U0001f467", "1\U0001f467"),
        ("\u2028\u2029\x85", "\u2028\u2029"),
    ],
)
def test_other_format_characters_are_removed(text: str, cleaned: str) -> None:
    assert without_controls(text) == cleaned


@given(ANY)
def test_removal_is_idempotent_and_leaves_no_other_control(text: str) -> None:
    cleaned = without_controls(text)
    assert without_controls(cleaned) == cleaned and len(kept_characters(text)) == len(text)
    assert {c for c in cleaned if unicodedata.category(c) in ("Cc", "Cf")} <= set(JOINERS + "\n\t\u06dd") | {
        c for c in cleaned if kept_characters(c) == [True]
    }
