"""Divides a text that is one work into parts, so that training, validation and test each get some (PIPE-3).

Many people bring one book in one file, without a line --- between its chapters. Its parts are not independent works: test text then has
the author and the persons of the training text, and held-out figures are better than those of a book that the model has not seen.
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LEAST = 2_000  # characters of a part; a line of a table of contents is joined with what follows
BLOCKS = 30  # wanted parts: three for validation and three for test, as splits have 80, 10 and 10 %
FEWEST = 3  # one for each split
HUGE_WORK = 0.5  # share of the text; a work is in one split only

_NUMBER_WORDS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty "
    "thirty forty fifty sixty first second third fourth fifth sixth seventh eighth ninth tenth last "
    "uno primero primera segundo segunda tercero tercera cuarto quinto sexto séptimo octavo noveno décimo "
    "premier première deuxième troisième quatrième cinquième sixième septième huitième neuvième dixième "
    "eins zwei drei vier fünf sechs sieben acht neun zehn"
).replace(" ", "|")
_NUMBER = rf"(?:[IVXLCDM]+|[ivxlcdm]+|\d+|(?i:(?:the )?(?:{_NUMBER_WORDS})(?:[- ](?:{_NUMBER_WORDS}))?))"
_WORDS = (
    "chapter|book|part|volume|canto|act|scene|letter|section|stave|sonnet|"  # English
    "capítulo|capitulo|libro|parte|acto|escena|carta|"  # Spanish, Italian
    "chapitre|livre|partie|tome|acte|scène|lettre|"  # French
    "kapitel|buch|teil|band|akt|szene|brief"  # German
)
# After a blank line: a Markdown heading; such a word, with a capital, its number and perhaps a title; or a Roman number alone, with a blank
# line after it. A title begins with a capital or after a stop: "Act two more times" is a sentence.
_NAMED = rf"(?=[A-ZÀ-Ý])(?i:{_WORDS})[ \t]+{_NUMBER}(?:[.:,)\u2013\u2014-].{{0,60}}| +[A-ZÀ-Ý\"'“‘(].{{0,60}})?"
HEADING = re.compile(rf"(?:\A|(?<=\n\n))(?:#{{1,3}} \S.*|[ \t]*{_NAMED}|[ \t]*[IVXLCDM]+\.?[ \t]*(?=\n\n))(?=\n|\Z)")
_BOUNDARIES = (("blank lines", re.compile(r"\n[ \t]*\n+")), ("line ends", re.compile(r"\n+")), ("blanks", re.compile(r"\s+")))


@dataclass(frozen=True)
class Division:
    """The parts of a text, in order. Joined, they are the text.

    Args:
        places: where the text was cut: `headings`, `blank lines`, `line ends`, `blanks`; empty if it was not cut.
    """

    parts: Sequence[str]
    places: frozenset[str]


def divide(text: str) -> Division:
    """Divide a text at its headings, and each chapter that is too long into blocks of about the same size.

    Args:
        text: with LF line ends. It stays whole if it is too short for three parts, or has no blanks.
    """
    chapters = _joined(_cut(text, [match.start() for match in HEADING.finditer(text)]))
    size = max(LEAST, len(text) / BLOCKS)
    places = {"headings"} if len(chapters) > 1 else set()
    parts: list[str] = []
    for chapter in chapters:
        blocks, place = _blocks(chapter, round(len(chapter) / size))
        parts += blocks
        places |= {place} if place else set()
    return Division(parts, frozenset(places)) if len(parts) >= FEWEST else Division([text], frozenset())


def _blocks(text: str, count: int) -> tuple[list[str], str]:
    """Return about `count` blocks, and where the text was cut; the whole text and '' if it has too few such places."""
    for place, boundary in _BOUNDARIES:
        blocks = _cut(text, list(_block_ends(text, boundary, count)))
        if count > 1 and len(blocks) > count // 2:
            return blocks, place
    return [text], ""


def _cut(text: str, positions: Sequence[int]) -> list[str]:
    """Return the parts between ascending positions. Empty parts are left out."""
    bounds = [0, *positions, len(text)]
    return [text[start:end] for start, end in itertools.pairwise(bounds) if end > start]


def _joined(parts: Sequence[str]) -> list[str]:
    """Join each part that is smaller than LEAST with the next; the last with the one before it."""
    joined = [""]
    for part in parts:
        if len(joined[-1]) >= LEAST:
            joined.append("")
        joined[-1] += part
    if len(joined) > 1 and len(joined[-1]) < LEAST:
        joined[-2:] = ["".join(joined[-2:])]
    return joined


def _block_ends(text: str, boundary: re.Pattern[str], count: int) -> Iterator[int]:
    """Yield the ends of all blocks but the last: the first boundary after each multiple of the mean size."""
    end = 0
    for number in range(1, count):
        target = len(text) * number // count
        if target < end:
            continue
        match = boundary.search(text, target)
        if match is None or match.end() == len(text):
            return
        end = match.end()
        yield end
