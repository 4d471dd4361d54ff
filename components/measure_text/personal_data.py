"""Personal data in what was written, and whether it is from the training text. Counts and kinds leave this file, never the data."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from components.measure_text.taken_out import Words, occurrences, split
from robo_poet.privacy.finding import resolve
from robo_poet.privacy.patterns import PatternFinder


@dataclass(frozen=True)
class PersonalData:
    """What was found.

    Args:
        found, known: findings a text; those of them that are from the training text.
        kinds, known_kinds: the same by kind, such as EMAIL_ADDRESS.
    """

    found: list[int]
    known: list[int]
    kinds: dict[str, int]
    known_kinds: dict[str, int]


def find_personal_data(texts: Sequence[str], training: Iterable[str], taken: Mapping[Words, str], min_score: float) -> PersonalData:
    """Search texts for data that has a shape (addresses, numbers, keys: `robo_poet.privacy.patterns`) and for what scrubbing took out.

    From the training text is what stands in it letter by letter, or was taken out of it.

    Args:
        training: documents, as they were trained on.
        taken: see `taken_out`.
        min_score: of a finding, as in scrub.min_score.
    """
    finder = PatternFinder(min_score)
    shaped = [[(one.entity, text[one.start : one.end]) for one in resolve(finder.find(text), text)] for text in texts]
    learnt = _standing({said for own in shaped for _, said in own}, training)
    found, known = [], []
    for text, own in zip(texts, shaped, strict=True):
        kept = [(entity, words) for entity, words in occurrences(text, taken) if not any(words == split(said) for _, said in own)]
        found.append([entity for entity, _ in own] + [entity for entity, _ in kept])
        known.append([entity for entity, said in own if said in learnt or split(said) in taken] + [entity for entity, _ in kept])
    return PersonalData([len(own) for own in found], [len(own) for own in known], _counted(found), _counted(known))


def _standing(wanted: set[str], training: Iterable[str]) -> set[str]:
    """Those of `wanted` that stand in a document."""
    seen: set[str] = set()
    for text in training if wanted else ():
        seen |= {said for said in wanted - seen if said in text}
    return seen


def _counted(kinds: Iterable[Iterable[str]]) -> dict[str, int]:
    return dict(sorted(Counter(kind for own in kinds for kind in own).items()))
