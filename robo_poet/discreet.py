"""Texts as they may be shown: a card is read by more people than the corpus was."""

import re

_ADDRESS = re.compile(r"\S+[^\S\n]?@\s?\S+|\b\w+://\S+|\bwww\.\S+|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?!\w|\.\w)(?:[/:?#]\S*)?")
_INTERNET = re.compile(
    r"\b\d{1,3}(?:\.\d{1,3}){3}\b|(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){2,}[0-9A-Fa-f.]*|\b(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}\b"
)
_NUMBER = re.compile(r"[+(]{0,2}\d(?:[^\w\n]{0,4}\d){6,}")
_KEY = re.compile(r"\b[A-Z]{2}\d\d(?: ?[A-Z0-9]{2,4}){3,9}\b|\b(?=[A-Za-z0-9]*\d)(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{15,}\b")

MASK = "[…]"


def discreet(text: str) -> str:
    """`text` without what looks like an address, a key or a number of seven digits and more, whoever's it may be.

    It is no detector of personal data (`patterns` is, and it reads what lies around); it needs no library and hides rather too much.
    """
    for shape in (_ADDRESS, _INTERNET, _KEY, _NUMBER):
        text = shape.sub(MASK, text)
    return text
