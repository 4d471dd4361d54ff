"""Word lists: entries with severity and category, their file format, and an index over their words."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from robo_poet.errors import BadInput
from robo_poet.settings.content_filter import Severity
from serving.content_filter.passage import fold

_SEVERITIES: tuple[Severity, ...] = get_args(Severity)
_HEADING = re.compile(r"\[(\w+) (\w+)\]")
_ENTRY = re.compile(r"(\*?)([^\W_]+(?:_[^\W_]+)*)(\*?)")
LIST_FOLDER = Path(__file__).parent / "lists"


@dataclass(frozen=True, slots=True)
class WordEntry:
    """A word or phrase of a list.

    Attributes:
        word: the folded word; for a phrase, its words separated by spaces.
        severity: severity, one of `Severity`.
        category: kind of text, such as `slur`.
        anywhere: matches inside a word as well.
        open: matches with any ending as well.
    """

    word: str
    severity: Severity
    category: str
    anywhere: bool = False
    open: bool = False

    @property
    def rule(self) -> str:
        """The rule name in decisions. It does not contain the word."""
        return f"words.{self.severity}"


def read_list(path: Path) -> list[WordEntry]:
    """Read the entries of a list file.

    Raises:
        BadInput: a line is neither a heading nor words.
    """
    return list(_entries(path.read_text("utf-8").splitlines(), str(path)))


def parse_entry(word: str, severity: Severity, category: str, where: str) -> WordEntry:
    """Parse one entry of a list: `word`, `word*`, `*word*` or `two_words`.

    Raises:
        BadInput: the text has none of these forms.
    """
    match = _ENTRY.fullmatch(word)
    prefix, core, suffix = match.groups() if match else ("", "", "")
    if not match or (prefix and not suffix) or ("_" in core and (prefix or suffix)):
        raise BadInput(f"{word!r} is not a valid entry of a word list", where=where, remedy="write word, word*, *word* or two_words")
    return WordEntry(fold(core.replace("_", " ")), severity, category, anywhere=bool(prefix), open=bool(suffix and not prefix))


def at_least(entries: Iterable[WordEntry], severity: Severity) -> list[WordEntry]:
    """Return the entries with at least this severity."""
    minimum = _SEVERITIES.index(severity)
    return [entry for entry in entries if _SEVERITIES.index(entry.severity) >= minimum]


def _entries(lines: list[str], where: str) -> Iterator[WordEntry]:
    heading: tuple[Severity, str] | None = None
    for number, line in enumerate(lines, start=1):
        place = f"{where}, line {number}"
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("["):
            match = _HEADING.fullmatch(line.strip())
            severity = next((name for name in _SEVERITIES if match and match[1] == name), None)
            if not match or severity is None:
                raise BadInput(
                    "not a valid heading of a word list", where=place, remedy="write [severity category], such as [mild profanity]"
                )
            heading = severity, match[2]
            continue
        if heading is None:
            raise BadInput("words before the first heading", where=place, remedy="add a heading above them, such as [mild profanity]")
        for word in line.split():
            yield parse_entry(word, *heading, place)


class WordIndex:
    """An index of the single words of a list.

    Args:
        entries: if the same word appears twice, the first entry is used.
    """

    def __init__(self, entries: Iterable[WordEntry]) -> None:
        self._whole: dict[str, WordEntry] = {}
        self._beginnings: dict[str, WordEntry] = {}
        anywhere: dict[str, WordEntry] = {}
        for entry in entries:
            index = anywhere if entry.anywhere else self._beginnings if entry.open else self._whole
            index.setdefault(entry.word, entry)
        self._lengths = sorted({len(word) for word in self._beginnings})
        self._anywhere = tuple(anywhere.items())
        # Two cheap tests before the loops: most words fail them.
        self._stem = self._lengths[0] if self._lengths else 0
        self._stems = frozenset(word[: self._stem] for word in self._beginnings)
        self._shortest_part = min(map(len, anywhere), default=0)

    def find(self, word: str) -> WordEntry | None:
        """Return the entry that equals `word` (folded), that `word` starts with, or that it contains. None if there is none."""
        match = self._whole.get(word)
        if match is not None:
            return match
        if word[: self._stem] in self._stems:
            for length in self._lengths:
                if length > len(word):
                    break
                match = self._beginnings.get(word[:length])
                if match is not None:
                    return match
        if len(word) < self._shortest_part:
            return None
        for part, entry in self._anywhere:
            if part in word:
                return entry
        return None
