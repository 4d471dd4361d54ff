"""What scrubbing has taken out of the training text: the model should never write it (DATA-3, EVAL-3).

A name that was found in one place may have stayed in another, where the recogniser did not see it. Held in memory, never written.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from components.measure_text.identity import Identity, identity
from robo_poet.corpus.read import read_documents
from robo_poet.privacy.audit import read_audit

NAME, MOST = "PERSON", 8  # words by which something is known: the beginning of what is longer
NAMELIKE = re.compile(r"[^\W\d_][^\W\d_.'’-]*(?:[.'’-]+[^\W\d_]*)*")  # a word of a name; its first letter is a capital, of any alphabet
NO_NAME = frozenset(
    "a all an and be but by enter exeunt exit for from he her his i in is it my no not o of oh she so that the thee they this thou thy to "
    "we what who with ye you your".split()
)
POSSESSIVE = re.compile(r"['’]s\b")


@dataclass(frozen=True)
class TakenOut:
    """What to look for.

    Args:
        kinds: identity → kind, such as PERSON.
        left: how many different findings are not looked for: single names, and what is hardly a name at all.
    """

    kinds: Mapping[Identity, str]
    left: int = 0

    def within(self, text: str) -> Iterator[tuple[str, Identity]]:
        """(kind, identity) of what stands in `text`, as often as it does."""
        words = identity(POSSESSIVE.sub("", text))
        for length in sorted({len(each) for each in self.kinds}):
            for start in range(len(words) - length + 1):
                found = words[start : start + length]
                if found in self.kinds:
                    yield self.kinds[found], found


def taken_out(corpus: Path, audit: Path) -> TakenOut:
    """What was taken out of the training split.

    Args:
        corpus: before scrubbing.
        audit: where something was found in it.

    Raises:
        BadInput: one of them is no such table.
    """
    places = read_audit(audit)
    kinds: dict[Identity, str] = {}
    left: set[str] = set()
    for document in read_documents(corpus, "train") if places else ():
        for entity, said in _joined(document.text, places.get(document.id, ())):
            if entity != NAME:
                kinds[identity(said)[:MOST]] = entity
            elif is_full_name(said):
                kinds[identity(POSSESSIVE.sub("", said))[:MOST]] = entity
            else:
                left.add(said)
    kinds.pop((), None)
    return TakenOut(kinds, len(left))


def is_full_name(said: str) -> bool:
    """Whether it names one person: two words that look like names. A first name alone is nobody; verse is full of capitals."""
    words = POSSESSIVE.sub("", said).split()
    return sum(word[0].isupper() and bool(NAMELIKE.fullmatch(word)) and word.casefold() not in NO_NAME for word in words) > 1


def _joined(text: str, found: Iterable[tuple[str, int, int]]) -> Iterator[tuple[str, str]]:
    """(kind, text) of findings; names with white space alone between them are one: a name over the end of a line."""
    run: tuple[str, int, int] | None = None
    for entity, start, end in sorted(found, key=lambda one: one[1]):
        if run and run[0] == entity == NAME and not text[run[2] : start].strip():
            run = entity, run[1], end
            continue
        if run:
            yield run[0], text[run[1] : run[2]]
        run = entity, start, end
    if run:
        yield run[0], text[run[1] : run[2]]
