"""Masking of addresses and numbers in texts that are shown: a card has more readers than the corpus."""

import re

_ADDRESS = re.compile(r"\S+[^\S\n]?@\s?\S+|\b\w+://\S+|\bwww\.\S+|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?!\w|\.\w)(?:[/:?#]\S*)?")
_INTERNET = re.compile(
    r"\b\d{1,3}(?:\.\d{1,3}){3}\b|(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){2,}[0-9A-Fa-f.]*|\b(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}\b"
)
_NUMBER = re.compile(r"[+(]{0,2}\d(?:[^\w\n]{0,4}\d){6,}")
_KEY = re.compile(r"\b[A-Z]{2}\d\d(?: ?[A-Z0-9]{2,4}){3,9}\b|\b(?=[A-Za-z0-9]*\d)(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{15,}\b")

MASK = "[…]"


def discreet(text: str) -> str:
    """Mask everything that looks like an address, a key, or a number of seven or more digits.

    It is not a detector of personal data (`robo_poet.privacy.patterns` is, and reads the context). It needs no library and masks too much
    rather than too little.
    """
    for shape in (_ADDRESS, _INTERNET, _KEY, _NUMBER):
        text = shape.sub(MASK, text)
    return text
