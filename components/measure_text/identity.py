"""By what two spellings of personal data are known to be the same."""

import re

Identity = tuple[str, ...]
LEAST = 7  # digits of a number that is somebody's
BETWEEN = r"[^\w\n]{0,4}"  # what may stand between two digits of a number
_NUMBER = re.compile(rf"\d(?:{BETWEEN}\d)*")
_WORD = re.compile(r"[^\W_]+")


def identity(text: str) -> Identity:
    """The words, in one case; a number of seven digits and more is one word, its digits alone, however it is set."""

    def together(match: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", match.group())
        return f" {digits} " if len(digits) >= LEAST else match.group()

    return tuple(_WORD.findall(_NUMBER.sub(together, text).casefold()))


def spelled(of: Identity) -> re.Pattern[str]:
    """What finds it in a text in one case (`str.casefold`), in whatever spelling."""
    words = (BETWEEN.join(word) if word.isdecimal() and len(word) >= LEAST else re.escape(word) for word in of)
    return re.compile(r"(?<![^\W_])" + r"[\W_]+".join(words) + r"(?![^\W_])")
