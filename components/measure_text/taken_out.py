"""What scrubbing has taken out of the training text: the model should never write it (DATA-3, EVAL-3).

A name that was found in one place may have stayed in another, where the recogniser did not see it. Held in memory, never written.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from robo_poet.corpus.read import read_documents
from robo_poet.privacy.audit import read_audit

Words = tuple[str, ...]
MOST = 8  # words by which something is known: the beginning of what is longer
ALONE = re.compile(r"(?=.*\d).{7,}")  # a word that is somebody's by itself, such as a number; a first name alone is not


def taken_out(corpus: Path, audit: Path) -> dict[Words, str]:
    """Words → kind of what was taken out of the training split.

    Args:
        corpus: before scrubbing.
        audit: where something was found in it.

    Raises:
        BadInput: one of them is no such table.
    """
    places = read_audit(audit)
    found: dict[Words, str] = {}
    for document in read_documents(corpus, "train") if places else ():
        for entity, start, end in places.get(document.id, ()):
            said = split(document.text[start:end])[:MOST]
            if len(said) > 1 or (said and ALONE.match(said[0])):
                found[said] = entity
    return found


def split(text: str) -> Words:
    """Its words, letters alone: a number or a name is the same however it is set."""
    return tuple(re.findall(r"\w+", text.casefold()))


def occurrences(text: str, of: Mapping[Words, str]) -> Iterator[tuple[str, Words]]:
    """(kind, words) of what stands in `text`, as often as it does."""
    said = split(text)
    lengths = {len(each) for each in of}
    for start in range(len(said)):
        for length in lengths:
            words = said[start : start + length]
            if len(words) == length and words in of:
                yield of[words], words
