"""Removal of control and format characters from texts, and the format characters that stay because a text needs them."""

import re
import unicodedata
from functools import lru_cache

_PLAIN = re.compile(r"[ -~\n\t]*")
_ZWNJ, _ZWJ = "\u200c", "\u200d"
# Scripts whose letters change their shape at a joiner: the cursive ones and those with conjuncts (Unicode 16, 23.2 and chapters 9 to 16).
_JOINING_SCRIPTS = frozenset(
    "ARABIC SYRIAC NKO MANDAIC MONGOLIAN DEVANAGARI BENGALI GURMUKHI GUJARATI ORIYA TAMIL TELUGU KANNADA MALAYALAM SINHALA KHMER MYANMAR "
    "TIBETAN BALINESE JAVANESE".split()
)
# Format characters with a glyph of their own, such as the Arabic sign for the end of a verse.
_VISIBLE = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
_EMOJI_MODIFIERS = frozenset("\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")


def without_controls(text: str) -> str:
    """Remove control and format characters: U+0000–U+001F except line feed and tab, U+007F–U+009F, zero-width, bidirectional, tags.

    They can control terminals, hide words from the content filter and reverse lines. A joiner stays where it changes the text: between
    letters of a script that uses joiners (as in Persian), and in an emoji sequence.
    """
    if _PLAIN.fullmatch(text):
        return text
    return "".join(character for character, is_kept in zip(text, kept_characters(text), strict=True) if is_kept)


def kept_characters(text: str) -> list[bool]:
    """Return for each character whether `without_controls` keeps it."""
    kept = [_is_kept(character) for character in text]
    if _ZWNJ in text or _ZWJ in text:
        for position, character in enumerate(text):
            if character in (_ZWNJ, _ZWJ):
                kept[position] = _joins(text, kept, position)
    return kept


def _is_kept(character: str) -> bool:
    return character in "\n\t" or character in _VISIBLE or unicodedata.category(character) not in ("Cc", "Cf")


def _joins(text: str, kept: list[bool], position: int) -> bool:
    """Return True if the joiner at `position` changes the text: it stands between two letters of its scripts, or two emoji."""
    left = position - 1
    while left >= 0 and not kept[left]:
        left -= 1
    right = position + 1
    while right < len(text) and not kept[right]:
        right += 1
    if left < 0 or right == len(text) or text[left] in (_ZWNJ, _ZWJ):  # of several joiners, the first one stays
        return False
    if _script(text[right]) and _script(text[left]) == _script(text[right]):
        return True
    while left > 0 and text[left] in _EMOJI_MODIFIERS:
        left -= 1
    return text[position] == _ZWJ and unicodedata.category(text[left]) == unicodedata.category(text[right]) == "So"


@lru_cache(4096)
def _script(character: str) -> str:
    """Return the script of a letter or a vowel sign that joiners change, else an empty text."""
    script = unicodedata.name(character, "").partition(" ")[0]
    return script if script in _JOINING_SCRIPTS and unicodedata.category(character)[0] in "LM" else ""
