"""Comparable forms of a text: as words, for a search, and without spaces and punctuation, for a digest.

A deleted document must be found again after a change of case, accents, spaces, line ends, punctuation or invisible characters. A name must
be found in JSON and HTML, where characters are escaped.
"""

import html
import re
import unicodedata
from collections.abc import Collection, Iterator

SHINGLE = 8  # words in sequence that two texts share only if one quotes the other
SHORTEST = 12  # characters of a text of fewer words that is searched as a whole
_SEPARATORS = re.compile(r"[\W_]+")
_ESCAPED = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\[nrtbf\"\\/]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")  # soft hyphen, zero-width characters, marks of direction


def comparable_words(text: str) -> str:
    """Return the words of a text in lower case without accents and punctuation, each followed by one space, after a leading space."""
    plain = _INVISIBLE.sub("", text) if not text.isascii() else text
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", plain).casefold())
        plain = "".join(character for character in plain if not unicodedata.combining(character))
    return f" {_SEPARATORS.sub(' ', plain.casefold()).strip()} "


def comparable(text: str) -> str:
    """Return the letters and digits of a text in lower case, without accents. A text without any is only stripped."""
    return comparable_words(text).replace(" ", "") or text.strip()


def unescaped(text: str) -> str:
    """Return a text with JSON and HTML escapes replaced by the characters that they stand for."""
    if "\\" in text:
        text = _ESCAPED.sub(_character, text)
    return html.unescape(text) if "&" in text else text


def _character(match: re.Match[str]) -> str:
    escape = match.group()
    if not escape.startswith("\\u"):
        return " "
    units = [int(unit, 16) for unit in escape.split("\\u")[1:]]
    return b"".join(unit.to_bytes(2, "big") for unit in units).decode("utf-16-be", "replace")


def shingles(words: str) -> Iterator[int]:
    """Yield a hash of each sequence of 8 words. The hashes are equal only within one process.

    Args:
        words: result of `comparable_words`.
    """
    parts = words.split()
    for start in range(len(parts) - SHINGLE + 1):
        yield hash(tuple(parts[start : start + SHINGLE]))


class Quotes:
    """Finds texts that name a subject or quote a document.

    Args:
        names: names of a subject. A name of several words is also found with its last word first.
        texts: texts of documents. Eight words in sequence are a quotation. A shorter text must occur as a whole.
    """

    def __init__(self, names: Collection[str] = (), texts: Collection[str] = ()) -> None:
        self.phrases = {phrase for name in names for phrase in name_phrases(name)}
        self.hashes: set[int] = set()
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        """Add the text of a document."""
        words = comparable_words(text)
        before = len(self.hashes)
        self.hashes.update(shingles(words))
        if len(self.hashes) == before and len(words.split()) < SHINGLE and len(words) >= SHORTEST:
            self.phrases.add(words)

    def match(self, text: str) -> bool:
        """Return True if the text names the subject or quotes a document."""
        words = comparable_words(unescaped(text))
        if any(phrase in words for phrase in self.phrases):
            return True
        return bool(self.hashes) and any(shingle in self.hashes for shingle in shingles(words))

    def __bool__(self) -> bool:
        return bool(self.phrases or self.hashes)


def name_phrases(name: str) -> set[str]:
    """Return the words of a name as it is searched, and with the last word first. Empty if the name has no letters and digits."""
    parts = comparable_words(name).split()
    return {f" {' '.join(order)} " for order in (parts, parts[-1:] + parts[:-1]) if order}
