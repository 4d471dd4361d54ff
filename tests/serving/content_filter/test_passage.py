import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from serving.content_filter import passage as room
from serving.content_filter.passage import fold

# Whatever Python takes for a text: lone surrogates, control characters and unassigned code points too.
ANYTHING = st.text(st.characters(), max_size=4_000)


@given(ANYTHING)
@example("ẞﬃ\u0345Ώ\u1fd3\u03f4K\u212bŉǰ")
def test_folding_a_folded_text_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_folding_of_each_code_point_is_idempotent() -> None:
    for code in range(0x110000):
        once = room._fold_repeatedly(chr(code))
        assert all(room._fold_repeatedly(sign) == sign for sign in once), hex(code)


@given(ANYTHING, ANYTHING)
def test_parts_fold_like_the_whole_text(one: str, other: str) -> None:
    assert fold(one + other) == fold(one) + fold(other)


@pytest.mark.parametrize(
    ("dressed", "plain"),
    [
        ("Rose", "rose"), ("RÔSÉ", "rose"), ("Ro\u0308se\u0301", "rose"), ("ｒｏｓｅ", "rose"), ("𝓇𝑜𝗌𝚎", "rose"), ("ⓡⓞⓢⓔ", "rose"), ("🅡🅞🅢🅔", "rose"),
        ("🆁🅾🆂🅴", "rose"), ("гοѕе", "rose"), ("ʀᴏꜱᴇ", "rose"), ("r\u200bo\u00ads\u2060e\ufe0f", "rose"), ("r\ud800ose\x00", "rose"), ("Straße", "strasse"),
        ("ﬁne", "fine"), ("Æsop", "aesop"), ("a\u00a0b\u2003c\u3000d", "a b c d"), ("two\nlines\tand", "two\nlines\tand"), ("42 %", "42 %"), ("月", "月"), ("", ""),
    ],
)  # fmt: skip
def test_decoration_is_removed_and_letters_are_kept(dressed: str, plain: str) -> None:
    assert fold(dressed) == plain


def test_the_cache_of_characters_is_bounded() -> None:
    for start in range(0x4E00, 0x4E00 + 3 * room.CACHED_CHARACTERS, 1_000):
        fold("".join(map(chr, range(start, start + 1_000))))
    assert len(room._TABLE) <= room.CACHED_CHARACTERS
