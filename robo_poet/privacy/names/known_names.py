"""Full names that the engine found in one document and missed in another (DATA-3). A model would learn the missed ones.

A known name is replaced everywhere if the engine found it in at least a quarter of the places where it stands. In fewer
places, the finding was probably wrong. Of 1,462 names in Spanish quotations, four were found in less than half of their places: three
persons (27 to 44 %), and the place "San Juan" (1 of 9).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from robo_poet.privacy.findings import Finding

PERSON = "PERSON"
KNOWN_SCORE, RECOGNIZER = 0.6, "KnownName"
LEAST_SHARE = 0.25  # of the places of a name that the engine found
LONGEST_NAME = 8  # words
Name = tuple[str, ...]

NAMELIKE = re.compile(r"[^\W\d_]+(?:[.'’-][^\W\d_]*)*")  # a word of a name, in any alphabet; `is_full_name` checks the capital
NOT_NAMES = frozenset(
    "a all an and be but by enter exeunt exit for from he her his i in is it my no not o of oh she so than that the thee they this thou "
    "thy to we what who with ye you your".split()
)
# Titles that stand before a first name. Elsewhere, the word is part of the name: Stephen King.
TITLES = frozenset("king queen prince princess duke duchess emperor empress pope saint".split())
POSSESSIVE = re.compile(r"['’]s\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_BETWEEN = re.compile(r"(?:[ \t\u00a0.'’-]|\n(?!\s*\n)){1,4}")  # of two words of one name


def is_full_name(text: str) -> bool:
    """Return True if the text has two words that look like names.

    A first name does not identify a person, and every line of verse starts with a capital.
    """
    words = POSSESSIVE.sub("", text).split()
    if words and words[0].casefold() in TITLES:  # KING HENRY is a title and a single name
        words = words[1:]
    return sum(word[0].isupper() and bool(NAMELIKE.fullmatch(word)) and word.casefold() not in NOT_NAMES for word in words) > 1


class KnownNames:
    """The full names of a corpus. Give all documents to `learn`, then all to `count`; then `missed` finds the names that stayed.

    It depends on the documents and their findings only, not on their order.
    """

    def __init__(self) -> None:
        self._names: set[Name] = set()
        self._lengths: dict[str, set[int]] = defaultdict(set)  # first word → lengths of the names that begin with it
        self._places: Counter[Name] = Counter()
        self._covered: Counter[Name] = Counter()

    def __bool__(self) -> bool:
        return bool(self._names)

    def learn(self, text: str, findings: Sequence[Finding]) -> None:
        """Take the full names among the findings of a document."""
        for finding in findings:
            content = text[finding.start : finding.end]
            if finding.entity == PERSON and "\n" not in content and is_full_name(content):
                name = tuple(word for word, _, _ in _words(content))
                if 1 < len(name) <= LONGEST_NAME:
                    self._names.add(name)
                    self._lengths[name[0]].add(len(name))

    def count(self, text: str, findings: Sequence[Finding]) -> None:
        """Count the places of a document where a name stands, and those that a finding covers."""
        for name, start, end in self._occurrences(text):
            self._places[name] += 1
            self._covered[name] += any(finding.start < end and start < finding.end for finding in findings)

    def missed(self, text: str, findings: Sequence[Finding]) -> list[Finding]:
        """Return the known names of a document that no finding touches."""
        return [
            Finding(PERSON, start, end, KNOWN_SCORE, RECOGNIZER)
            for name, start, end in self._occurrences(text)
            if self._covered[name] >= LEAST_SHARE * self._places[name] and not any(f.start < end and start < f.end for f in findings)
        ]

    def _occurrences(self, text: str) -> Iterator[tuple[Name, int, int]]:
        """Yield (name, start, end) of the known names that are written with capitals; of names at one place, the longest."""
        words, after = list(_words(text)), 0
        for place, (word, start, _) in enumerate(words):
            for length in sorted(self._lengths.get(word, ()), reverse=True) if place >= after else ():
                part = words[place : place + length]
                name, end = tuple(each for each, _, _ in part), part[-1][2]
                joined = all(_BETWEEN.fullmatch(text, left[2], right[1]) for left, right in pairwise(part))
                if name in self._names and joined and is_full_name(text[start:end]):
                    yield name, start, end
                    after = place + length
                    break


def _words(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield (case-folded word, start, end), without a possessive `'s`."""
    for match in _WORD.finditer(text):
        start, end = match.span()
        if match.group() not in ("s", "S") or text[max(0, start - 1) : start] not in ("'", "’"):
            yield match.group().casefold(), start, end
