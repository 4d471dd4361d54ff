"""Text from users, the corpus or a model, made safe to show: in a terminal, in a card, in a message.

A card has more readers than the corpus. Messages end up in logs, events and reports, so they quote names but never text.
"""

import re


def terminal_text(text: str) -> str:
    """Remove control characters except newline and tab. A byte-level model can generate any character, including terminal escapes."""
    return "".join(character for character in text if character.isprintable() or character in "\n\t")


# An alternative begins only where a word or a domain begins. Else a word of n characters would be searched n times.
_ADDRESS = re.compile(
    r"(?<!\S)\S+[^\S\n]?@\s?\S+|\b\w+://\S+|\bwww\.\S+"
    r"|(?<![\w-])(?<![\w-]\.)-*+\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?!\w|\.\w)(?:[/:?#]\S*)?"
)
_INTERNET = re.compile(
    r"\b\d{1,3}(?:\.\d{1,3}){3}\b|(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){2,}[0-9A-Fa-f.]*|\b(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}\b"
)
_NUMBER = re.compile(r"[+(]{0,2}\d(?:[^\w\n]{0,4}\d){6,}")
_KEY = re.compile(r"\b[A-Z]{2}\d\d(?: ?[A-Z0-9]{2,4}){3,9}\b|\b(?=[A-Za-z0-9]*\d)(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{15,}\b")

MASK = "[…]"


def masked(text: str) -> str:
    """Mask everything that looks like an address, a key, or a number of seven or more digits.

    It is not a detector of personal data (`robo_poet.privacy.patterns` is, and reads the context). It needs no library and masks too much
    rather than too little.
    """
    for shape in (_ADDRESS, _INTERNET, _KEY, _NUMBER):
        text = shape.sub(MASK, text)
    return text


LONGEST_NAME = 80  # characters; longer strings are not names


def quotable_name(name: str, otherwise: str = "a document whose id is too long to quote") -> str:
    """Return `name` if it is short enough and printable on one line; otherwise return `otherwise`."""
    return name if len(name) <= LONGEST_NAME and name.isprintable() else otherwise
