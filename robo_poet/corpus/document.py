"""A document of the corpus, and the normalisation of its text. This module does not depend on files or Parquet."""

import itertools
import re
import unicodedata
from dataclasses import dataclass, fields

from robo_poet.digest import digest_bytes

LIVE = "live"  # the source of prompts with consent (MON-4)
MEGABYTE = 1_000_000  # bytes of UTF-8; the meaning of "megabytes" in settings and reports
LINE_END = re.compile(r"\r\n?")
LANGUAGE_TAG = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9_-]+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Document:
    """A row of the corpus, with the fields of `robo_poet.corpus.parquet`. A missing string is empty."""

    id: str
    group: str
    text: str
    split: str = ""
    title: str = ""
    author: str = ""
    source: str = ""
    genre: str = ""
    language: str = ""
    date: str = ""
    licence: str = ""
    consent: str = ""
    sha256: str = ""

    @property
    def size(self) -> int:
        """Return the size of the text in bytes of UTF-8."""
        return len(self.text.encode())

    def with_text(self, text: str) -> "Document":
        """Return a copy with another text, normalised, and its digest."""
        text = normalise(text)
        return Document(  # `replace` takes twice the time, which counts for a million short documents
            self.id, self.group, text, self.split, self.title, self.author, self.source, self.genre, self.language, self.date,
            self.licence, self.consent, digest_bytes(text.encode()),
        )  # fmt: skip


FIELDS = tuple(field.name for field in fields(Document))


def language_code(language: str) -> str:
    """Return the primary code of a language tag, `en` for `en-GB`; `unknown` for any other text, which may come from a user's table."""
    match = LANGUAGE_TAG.fullmatch(language)
    return match[1].lower() if match else "unknown"


def normalise(text: str) -> str:
    """Return the text in NFC with every line end as a line feed (DATA-5: decoding gives back exactly this text)."""
    return nfc(LINE_END.sub("\n", text) if "\r" in text else text)


_MARKS = re.compile(r"[^\w\s]{100,}")  # contains each long run of combining marks


def nfc(text: str) -> str:
    """Return the text in NFC, in a time that grows with its length.

    Python orders the combining marks of one letter by insertion: 40,000 marks take 2.3 s, a million 24 minutes. So long runs are put into
    canonical order first, which does not change the result.
    """
    return text if text.isascii() else unicodedata.normalize("NFC", _MARKS.sub(_ordered, text))


def _ordered(match: re.Match[str]) -> str:
    """Return the characters of a match, decomposed, with each run of combining marks in canonical order."""
    decomposed = "".join(unicodedata.normalize("NFD", character) for character in match.group())
    runs = itertools.groupby(decomposed, key=lambda character: unicodedata.combining(character) > 0)
    return "".join("".join(sorted(run, key=unicodedata.combining)) if marks else "".join(run) for marks, run in runs)
