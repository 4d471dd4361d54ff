"""Personal data in what was written, and whether it is from the training text. Counts and kinds leave this file, never the data."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from robo_poet.privacy.finding import resolve
from robo_poet.privacy.patterns import PatternFinder


@dataclass(frozen=True)
class PersonalData:
    """What was found.

    Args:
        found, known: findings a text; those of them that stand in the training text, letter by letter.
        kinds, known_kinds: the same by kind, such as EMAIL_ADDRESS.
    """

    found: list[int]
    known: list[int]
    kinds: dict[str, int]
    known_kinds: dict[str, int]


def find_personal_data(texts: Sequence[str], training: Iterable[str], min_score: float) -> PersonalData:
    """Search texts for data that has a shape: addresses, numbers, keys (`robo_poet.privacy.patterns`).

    Args:
        training: documents.
        min_score: of a finding, as in scrub.min_score.
    """
    finder = PatternFinder(min_score)
    found = [[(one.entity, text[one.start : one.end]) for one in resolve(finder.find(text), text)] for text in texts]
    learnt = _standing({said for own in found for _, said in own}, training)
    known = [[entity for entity, said in own if said in learnt] for own in found]
    return PersonalData(
        [len(own) for own in found], [len(own) for own in known], _counted(entity for own in found for entity, _ in own),
        _counted(entity for own in known for entity in own),
    )  # fmt: skip


def _standing(wanted: set[str], training: Iterable[str]) -> set[str]:
    """Those of `wanted` that stand in a document."""
    seen: set[str] = set()
    for text in training if wanted else ():
        seen |= {said for said in wanted - seen if said in text}
    return seen


def _counted(kinds: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(kinds).items()))
