"""Searches for the words of a text and for names in files.

A deleted document must be found again after a change of case, accents, spaces, line ends, punctuation or invisible characters. A name must
be found in JSON and HTML, where characters are escaped.
"""

import html
import re
from collections.abc import Collection, Iterator

from robo_poet.corpus.words import comparable_words

SHINGLE = 8  # words in sequence that two texts share only if one quotes the other
SHORTEST = 12  # characters of a text of fewer words that is searched as a whole
_ESCAPED = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\[nrtbf\"\\/]")


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
        self._patterns = [pattern for name in names for order in _orders(name.split()) if order for pattern in _bytes_patterns(order)]
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

    def match_bytes(self, data: bytes) -> bool:
        """Return True if bytes that are not text, such as those of a model, contain a name in UTF-8, in any case."""
        return any(all(word in data for word in words) and pattern.search(data) for words, pattern in self._patterns)

    def __bool__(self) -> bool:
        return bool(self.phrases or self.hashes)


def name_phrases(name: str) -> set[str]:
    """Return the words of a name as it is searched, and with the last word first. Empty if the name has no letters and digits."""
    return {f" {' '.join(order)} " for order in _orders(comparable_words(name).split()) if order}


def _orders(words: list[str]) -> list[list[str]]:
    return [words, words[-1:] + words[:-1]]


def _bytes_patterns(words: list[str]) -> Iterator[tuple[list[bytes], re.Pattern[bytes]]]:
    """Yield spellings of a name in UTF-8 (as typed, in lower case, in capitals, with capital initials): its words, and a pattern.

    A search for the words takes a tenth of the time of the pattern, and they are rarely all present.
    """
    between = rb"[^0-9A-Za-z\x80-\xff]{1,3}"
    for form in sorted({tuple(change(word) for word in words) for change in (str, str.lower, str.upper, str.title)}):
        spelled = [word.encode() for word in form]
        body = between.join(map(re.escape, spelled))
        yield spelled, re.compile(rb"(?<![0-9A-Za-z\x80-\xff])" + body + rb"(?![0-9A-Za-z\x80-\xff])")
