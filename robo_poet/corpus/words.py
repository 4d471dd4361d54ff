"""The words of a text in a comparable form: lower case, without accents, punctuation, spaces and invisible characters."""

import re
import unicodedata

from robo_poet.corpus.document import nfc

_SEPARATORS = re.compile(r"[\W_]+")
_ACCENTS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
# Chinese, Japanese, Thai, Lao, Burmese, Khmer
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")  # soft hyphen, zero-width characters, marks of direction


def comparable_words(text: str) -> str:
    """Return the words of a text in lower case without accents and punctuation, each followed by one space, after a leading space."""
    plain = _INVISIBLE.sub("", text) if not text.isascii() else text
    if not plain.isascii():
        plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", nfc(plain).casefold()))
    return f" {_SEPARATORS.sub(' ', plain.casefold()).strip()} "


def comparable(text: str) -> str:
    """Return the letters and digits of a text in lower case, without accents. A text without any is only stripped."""
    return comparable_words(text).replace(" ", "") or text.strip()


def separate_words(text: str) -> str:
    """Return the same as `comparable_words`, with each character of a script without spaces between words as a word."""
    words = comparable_words(text)
    return words if words.isascii() else _UNSPACED.sub(r" \g<0> ", words)
