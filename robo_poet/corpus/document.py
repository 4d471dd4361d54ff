"""One document of the corpus, and the one way its text is normalised. Knows nothing of files or Parquet."""

import re
import unicodedata
from dataclasses import dataclass, fields, replace

from robo_poet.digest import digest_bytes

MEGABYTE = 1_000_000  # bytes of UTF-8, wherever the settings or a report say "megabytes"
LINE_END = re.compile(r"\r\n?")


@dataclass(frozen=True, slots=True)
class Document:
    """A row of the corpus; the fields are those of `robo_poet.corpus.schema`. A missing string is empty."""

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
        """Bytes of the text as UTF-8."""
        return len(self.text.encode())

    def with_text(self, text: str) -> "Document":
        """The same document with another text, normalised, and its digest."""
        text = normalise(text)
        return replace(self, text=text, sha256=digest_bytes(text.encode()))


FIELDS = tuple(field.name for field in fields(Document))


def normalise(text: str) -> str:
    """NFC, and every line ends in a line feed (DATA-5: what is decoded later is this text exactly)."""
    return unicodedata.normalize("NFC", LINE_END.sub("\n", text))
