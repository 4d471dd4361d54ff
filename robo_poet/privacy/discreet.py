"""Texts as they may be shown: a card is read by more people than the corpus was."""

import re

_ADDRESS = re.compile(r"\S+@\S+|\b\w+://\S+|\bwww\.\S+", re.IGNORECASE)
_NUMBER = re.compile(r"[+(]?\d(?:[ ().\-/:]{0,3}\d){6,}")
_KEY = re.compile(r"\b(?=[A-Za-z0-9]*\d)(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{15,}\b|\b(?:[0-9A-Fa-f]{1,4}[:-]){3,}[0-9A-Fa-f:.-]*")

MASK = "[…]"


def discreet(text: str) -> str:
    """`text` without what looks like an address, a key or a number of seven digits and more, whoever's it may be.

    It is no detector of personal data (`patterns` is) and hides too much rather than too little; it needs no library.
    """
    for shape in (_ADDRESS, _KEY, _NUMBER):
        text = shape.sub(MASK, text)
    return text
