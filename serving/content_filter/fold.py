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


def _folded(sign: str) -> str:
    sign = CONFUSABLES.get(sign, sign)  # before NFKD, which would turn a lunate sigma into an o
    for _ in range(8):  # some characters need two rounds, none needs more than three
        again = "".join(_once(one) for one in unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", sign).casefold()))
        if again == sign:
            break
        sign = again
    return sign


def _once(sign: str) -> str:
    if sign in CONFUSABLES:
        return CONFUSABLES[sign]
    if sign in "\n\r\t":
        return sign
    kind = unicodedata.category(sign)
    if kind in ("Zs", "Zl", "Zp") or sign in "\x0b\x0c\x85":
        return " "
    if kind in ("Mn", "Me", "Cf", "Cc", "Cs", "Cn", "Co") or sign in _BLANK:
        return ""
    return sign


_TABLE = _Table()
