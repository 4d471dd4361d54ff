"""Folding: map text to plain lower-case Latin letters, so that disguised words can be found.

Folding replaces compatibility forms (NFKD), case and look-alikes, and removes accents and invisible characters. It works character
by character, so it takes linear time, and folding a folded text changes nothing.
"""

import unicodedata

from serving.content_filter.confusables import CONFUSABLES

ROOM = 8192  # cached characters: this bounds the memory; uncached characters only take more time
# Invisible characters whose Unicode category is not an invisible one: Hangul fillers and the empty Braille cell.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")


def fold(text: str) -> str:
    """Return the folded text.

    Lone surrogates and control characters are removed, and every kind of space becomes a plain space. Other characters
    without a Latin look-alike stay.
    """
    return text.translate(_TABLE)


class _Table(dict[int, str]):
    """A cache from code point to folded text, filled on first use."""

    def __missing__(self, code: int) -> str:
        folded = _folded(chr(code))
        if len(self) < ROOM:
            self[code] = folded
        return folded


def _folded(text: str) -> str:
    text = CONFUSABLES.get(text, text)  # before NFKD, which would turn a lunate sigma into an o
    for _ in range(8):  # some characters need two rounds, none needs more than three
        refolded = "".join(_once(character) for character in unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()))
        if refolded == text:
            break
        text = refolded
    return text


def _once(character: str) -> str:
    if character in CONFUSABLES:
        return CONFUSABLES[character]
    if character in "\n\r\t":
        return character
    category = unicodedata.category(character)
    if category in ("Zs", "Zl", "Zp") or character in "\x0b\x0c\x85":
        return " "
    if category in ("Mn", "Me", "Cf", "Cc", "Cs", "Cn", "Co") or character in _BLANK:
        return ""
    return character


_TABLE = _Table()
