"""Personal data that scrubbing removed from the training text, which the model should never write (DATA-3, EVAL-3).

The recogniser may have found a name in one passage and missed it in another, so the model can still learn it. This data is kept in
memory and never written.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from components.measure_text.identity import Identity, identity
from robo_poet.corpus.read import read_documents
from robo_poet.privacy.audit import read_audit

NAME, MOST = "PERSON", 8  # MOST: maximum words of an identity; longer ones are cut to their first 8
NAMELIKE = re.compile(r"[^\W\d_][^\W\d_.'’-]*(?:[.'’-]+[^\W\d_]*)*")  # a word of a name, in any alphabet; `is_full_name` checks the capital
NO_NAME = frozenset(
    "a all an and be but by enter exeunt exit for from he her his i in is it my no not o of oh she so that the thee they this thou thy to "
    "we what who with ye you your".split()
)
POSSESSIVE = re.compile(r"['’]s\b")


@dataclass(frozen=True)
class TakenOut:
    """The removed personal data to search for.

    Args:
        kinds: identity → kind, such as PERSON.
        left: number of distinct findings that are not searched for, because they are not full names.
    """

    kinds: Mapping[Identity, str]
    left: int = 0

    def within(self, text: str) -> Iterator[tuple[str, Identity]]:
        """Yield (kind, identity) of each occurrence in `text`."""
        words = identity(POSSESSIVE.sub("", text))
        for length in sorted({len(data) for data in self.kinds}):
            for start in range(len(words) - length + 1):
                candidate = words[start : start + length]
                if candidate in self.kinds:
                    yield self.kinds[candidate], candidate


def taken_out(corpus: Path, audit: Path) -> TakenOut:
    """Return the personal data that scrubbing removed from the training split.

    Args:
        corpus: corpus before scrubbing.
        audit: spans that scrubbing found in it.

    Raises:
        BadInput: a file is not such a table.
    """
    spans_of = read_audit(audit)
    kinds: dict[Identity, str] = {}
    skipped: set[str] = set()
    for document in read_documents(corpus, "train") if spans_of else ():
        for entity, finding in _joined(document.text, spans_of.get(document.id, ())):
            if entity != NAME:
                kinds[identity(finding)[:MOST]] = entity
            elif is_full_name(finding):
                kinds[identity(POSSESSIVE.sub("", finding))[:MOST]] = entity
            else:
                skipped.add(finding)
    kinds.pop((), None)
    return TakenOut(kinds, len(skipped))


def is_full_name(text: str) -> bool:
    """Return True if the text has two words that look like names.

    A first name does not identify a person, and every line of verse starts with a capital.
    """
    words = POSSESSIVE.sub("", text).split()
    return sum(word[0].isupper() and bool(NAMELIKE.fullmatch(word)) and word.casefold() not in NO_NAME for word in words) > 1


def _joined(text: str, spans: Iterable[tuple[str, int, int]]) -> Iterator[tuple[str, str]]:
    """Yield (kind, text) of the findings. Names separated only by white space are joined: a name can cross a line break."""
    current: tuple[str, int, int] | None = None
    for entity, start, end in sorted(spans, key=lambda span: span[1]):
        if current and current[0] == entity == NAME and not text[current[2] : start].strip():
            current = entity, current[1], end
            continue
        if current:
            yield current[0], text[current[1] : current[2]]
        current = entity, start, end
    if current:
        yield current[0], text[current[1] : current[2]]
