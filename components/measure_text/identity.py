"""Normal form of personal data, by which two spellings of the same data compare equal."""

import re

Identity = tuple[str, ...]
LEAST = 7  # minimum digits of a number that identifies a person
BETWEEN = r"[^\w\n]{0,4}"  # separators allowed between two digits of a number
_NUMBER = re.compile(rf"\d(?:{BETWEEN}\d)*")
_WORD = re.compile(r"[^\W_]+")


def identity(text: str) -> Identity:
    """Return the case-folded words. A number of 7 or more digits is one word without its separators."""

    def join_digits(match: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", match.group())
        return f" {digits} " if len(digits) >= LEAST else match.group()

    return tuple(_WORD.findall(_NUMBER.sub(join_digits, text).casefold()))


def spelled(data: Identity) -> re.Pattern[str]:
    """Return a pattern that matches every spelling of an identity in a case-folded text (`str.casefold`)."""
    patterns = (BETWEEN.join(word) if word.isdecimal() and len(word) >= LEAST else re.escape(word) for word in data)
    return re.compile(r"(?<![^\W_])" + r"[\W_]+".join(patterns) + r"(?![^\W_])")
