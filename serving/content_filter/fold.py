"""Text in plain lower-case letters, whatever alphabet they were dressed up in.

Compatibility forms (NFKD), case, accents, invisible characters and look-alikes go, character by character: so it takes linear time,
and folding twice is folding once.
"""

import unicodedata

from serving.content_filter.confusables import CONFUSABLES

ROOM = 8192  # characters remembered: beyond, a text of rare ones costs more time and no more memory
# Letters by their category that show nothing: Hangul fillers and an empty Braille cell.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")


def fold(text: str) -> str:
    """`text` without dress; what has no look-alike stays, lone surrogates and control characters go, every space is a plain one."""
    return text.translate(_TABLE)


class _Table(dict[int, str]):
    """Code point → what it is folded to, worked out when first met."""

    def __missing__(self, code: int) -> str:
        folded = _folded(chr(code))
        if len(self) < ROOM:
            self[code] = folded
        return folded


def _folded(sign: str) -> str:
    sign = CONFUSABLES.get(sign, sign)  # first: decomposed, a lunate sigma would become an o
    for _ in range(8):  # some need two rounds, none more than three
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
