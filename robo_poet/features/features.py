"""The features of a document, and their bins (DATA-1). No feature contains text of a document, a title or the name of a person."""

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Literal

import numpy as np

from robo_poet.corpus.document import MEGABYTE, Document

VERSION = "robo-poet features 2"  # tag of schemas and snapshots; changes if a feature gets another meaning or is removed
Kind = Literal["integer", "share", "category"]
Value = int | float | str | None


def _octaves(end: float, parts: int = 1) -> tuple[float, ...]:
    """Return 0 and powers of 2 from 1 to `end`, each octave in equal ratios and rounded: lengths of texts span orders of magnitude."""
    exponents = range(math.ceil(math.log2(end) * parts) + 1)
    return (0, *sorted({round(2 ** (exponent / parts)) for exponent in exponents}))


def _steps(start: float, end: float, count: int) -> tuple[float, ...]:
    """Return `count` + 1 edges in equal distances."""
    return tuple(round(start + (end - start) * number / count, 6) for number in range(count + 1))


@dataclass(frozen=True)
class Feature:
    """A feature of a document.

    Args:
        label: name in reports.
        unit: of its values; empty for a category.
        edges: lower edges of the bins, ascending; the last bin has no upper edge. Empty for a category.
    """

    name: str
    kind: Kind
    label: str
    unit: str = ""
    edges: tuple[float, ...] = ()

    def bins(self, values: Sequence[float | None]) -> list[int | None]:
        """Return the number of the bin of each value; None for None. A value below the first edge is in the first bin."""
        if None not in values:
            return np.maximum(np.searchsorted(self.edges, np.array(values, float), side="right") - 1, 0).tolist()  # type: ignore[no-any-return]
        known = self.bins([value for value in values if value is not None])
        numbers = iter(known)
        return [None if value is None else next(numbers) for value in values]


LENGTHS = _octaves(2**26, 2)
COUNTS = _octaves(2**20)
RARE = (0, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)  # shares that are near 0 in most texts
YEARS = (0, 1000, *range(1400, 2101, 25))

FEATURES: dict[str, Feature] = {
    feature.name: feature
    for feature in (
        Feature("characters", "integer", "length", "characters", LENGTHS),
        Feature("words", "integer", "words", "words", LENGTHS),
        Feature("tokens", "integer", "words and punctuation marks", "tokens", LENGTHS),
        Feature("sentences", "integer", "sentences", "sentences", _octaves(2**20, 2)),
        Feature("sentence_tokens", "share", "mean sentence length", "tokens", (*_steps(0, 60, 20), 80, 120, 200, 500, 1000)),
        Feature("type_token_ratio", "share", "distinct words of the first 100", "share of words", _steps(0, 0.95, 19)),
        Feature("letter_share", "share", "letters", "share of characters", _steps(0, 0.98, 49)),
        Feature("digit_share", "share", "digits", "share of characters", RARE),
        Feature("punctuation_share", "share", "punctuation marks", "share of characters", (*_steps(0, 0.1, 20), 0.15, 0.2, 0.3, 0.5)),
        Feature("space_share", "share", "white space", "share of characters", (*_steps(0, 0.3, 30), 0.4, 0.5, 0.7)),
        Feature("other_share", "share", "symbols and control characters", "share of characters", RARE),
        Feature("line_characters", "share", "mean line length", "characters", LENGTHS),
        Feature("empty_line_share", "share", "empty lines", "share of lines", _steps(0, 0.95, 19)),
        Feature("damaged_characters", "integer", "U+FFFD and control characters", "characters", COUNTS),
        Feature("misread_characters", "integer", "UTF-8 read as Windows-1252 (Ã©)", "characters", COUNTS),
        Feature("year", "integer", "year of the text", "", YEARS),
        Feature("duplicate", "category", "duplicate: same words as an earlier document"),
        Feature("split", "category", "split"),
        Feature("source", "category", "source"),
        Feature("language", "category", "language"),
        Feature("genre", "category", "genre"),
        Feature("author_bucket", "category", "author (64 hash buckets)"),
        Feature("licence", "category", "licence"),
        Feature("consent", "category", "consent"),
    )
}
AUTHOR_BUCKETS = 64  # many authors share a bucket, so that nobody can be found in the stored statistics by name

WORD = re.compile(r"\w+(?:['’]\w+)*")
TOKEN = re.compile(WORD.pattern + r"|[^\w\s]")  # a word, or one punctuation mark. The tokens of the model do not exist yet in this step
SENTENCE_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+(?=\s|$)")  # without backtracking: a line may have a million dots
DAMAGED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd]")  # U+FFFD, and all control characters except tab and line ends
MISREAD = re.compile(r"[ÂÃ][\u0080-\u00bf]|â€[\u0080-\uffff]|ï»¿")
EMPTY_LINE = re.compile(r"^[^\S\n]*$", re.MULTILINE)
SPACE = re.compile(r"\s")
FIRST_WORDS = 100  # of a document, for its type/token ratio: it depends on the length of the text, so all have the same


@dataclass
class Measures:
    """What is counted in one document.

    Args:
        word_digest: of its words, ignoring case and spacing.
    """

    characters: int
    words: int
    tokens: int
    sentences: int
    damaged: int
    word_digest: bytes
    values: dict[str, Value]


def pieces(text: str, size: int = MEGABYTE) -> Iterator[str]:
    """Yield a text in pieces of about `size` characters, cut before white space: so no word and no end of a sentence is cut."""
    start = 0
    while len(text) - start > size:
        space = SPACE.search(text, start + size)
        if space is None:
            break
        yield text[start : space.start()]
        start = space.start()
    yield text[start:] if start else text


def measure_document(document: Document) -> Measures:
    """Count the features of a document. A long text is read in pieces, so that the list of its words is never in memory as a whole."""
    text = document.text
    tokens = words = sentences = 0
    first: list[str] = []
    digest = sha256()
    for piece in pieces(text):
        piece_tokens = TOKEN.findall(piece)
        piece_words = [token for token in piece_tokens if token[0].isalnum() or token[0] == "_"]
        tokens, words = tokens + len(piece_tokens), words + len(piece_words)
        sentences += len(SENTENCE_END.findall(piece))
        first += piece_words[: FIRST_WORDS - len(first)]
        if piece_words:
            digest.update((" ".join(piece_words) + " ").casefold().encode())
    sentences = max(1, sentences)
    damaged = len(DAMAGED.findall(text))
    total = max(1, len(text))
    classes = character_classes(text)
    line_ends = text.count("\n")
    lines = max(1, line_ends + (not text.endswith("\n")))
    empty = sum(1 for _ in EMPTY_LINE.finditer(text)) - text.endswith("\n") if text else 0
    year = document.date[:4]
    values: dict[str, Value] = {
        "characters": len(text),
        "words": words,
        "tokens": tokens,
        "sentences": sentences,
        "sentence_tokens": tokens / sentences,
        "type_token_ratio": len({word.casefold() for word in first}) / FIRST_WORDS if len(first) == FIRST_WORDS else None,
        **{f"{name}_share": classes[number] / total for number, name in enumerate(CLASSES)},
        "line_characters": (len(text) - line_ends) / lines,
        "empty_line_share": empty / lines,
        "damaged_characters": damaged,
        "misread_characters": 0 if text.isascii() else len(MISREAD.findall(text)),
        "year": int(year) if year.isdecimal() and len(year) == 4 else None,
        "split": document.split or None,
        "source": document.source or None,
        "language": document.language or None,
        "genre": document.genre or None,
        "author_bucket": author_bucket(document.author),
        "licence": "stated" if document.licence.strip() else None,
        "consent": "stated" if document.consent.strip() else None,
    }
    return Measures(len(text), words, tokens, sentences, damaged, digest.digest()[:12], values)


@dataclass(frozen=True)
class MeasureDocuments:
    """A job (`robo_poet.distributed`) that yields what `measure_document` counts: one list per document, without text."""

    def __call__(self, documents: Iterable[Document]) -> Iterator[Any]:
        for document in documents:
            m = measure_document(document)
            yield [m.characters, m.words, m.tokens, m.sentences, m.damaged, m.word_digest.hex(), m.values]


def measures_of(values: Iterable[Any]) -> Iterator[Measures]:
    """Yield the measures of each value of `MeasureDocuments`."""
    for characters, words, tokens, sentences, damaged, digest, features in values:
        yield Measures(characters, words, tokens, sentences, damaged, bytes.fromhex(digest), features)


def author_bucket(author: str) -> str | None:
    """Return one of 64 buckets of authors; None without an author."""
    name = " ".join(author.casefold().split())
    return f"bucket {sha256(name.encode()).digest()[0] % AUTHOR_BUCKETS:02d}" if name else None


CLASSES = ("letter", "digit", "punctuation", "space", "other")
_CLASS_OF_CATEGORY = {"L": 0, "M": 0, "N": 1, "P": 2, "Z": 3}  # combining marks belong to letters; the rest is "other"


@cache
def _class_table(size: int) -> "np.ndarray[tuple[int], np.dtype[np.uint8]]":
    """Return the class of each code point below `size`."""
    table = [3 if chr(code).isspace() else _CLASS_OF_CATEGORY.get(unicodedata.category(chr(code))[0], 4) for code in range(size)]
    return np.array(table, np.uint8)


def character_classes(text: str) -> list[int]:
    """Return the number of letters, digits, punctuation marks, white space and other characters."""
    if text.isascii():
        codes = np.bincount(np.frombuffer(text.encode("ascii"), np.uint8), minlength=128)
        return [int(number) for number in np.bincount(_class_table(128), weights=codes, minlength=len(CLASSES))]
    counts = np.zeros(len(CLASSES), np.int64)
    for start in range(0, len(text), MEGABYTE):
        codes = np.frombuffer(text[start : start + MEGABYTE].encode("utf-32-le", "surrogatepass"), np.uint32)
        table = _class_table(0x10000 if codes.max() < 0x10000 else 0x110000)
        counts += np.bincount(table[codes], minlength=len(CLASSES))
    return [int(number) for number in counts]
