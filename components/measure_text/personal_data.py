"""Personal data in completions, and whether it comes from the training text. Results hold counts and kinds, never the data itself."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from components.measure_text.identity import Identity, identity, spelled
from components.measure_text.taken_out import TakenOut
from robo_poet.privacy.finding import resolve
from robo_poet.privacy.patterns import PatternFinder


@dataclass(frozen=True)
class PersonalData:
    """Counts of personal data found in a list of texts.

    Args:
        found: (texts,) number of findings in each text.
        known: (texts,) number of findings that come from the training text.
        kinds, known_kinds: the same counts by kind, such as EMAIL_ADDRESS.
    """

    found: list[int]
    known: list[int]
    kinds: dict[str, int]
    known_kinds: dict[str, int]


def find_personal_data(texts: Sequence[str], training: Iterable[str], taken: TakenOut, min_score: float) -> PersonalData:
    """Search texts for two sorts of personal data: patterns and removed data.

    - Patterns: addresses, numbers, keys (`robo_poet.privacy.patterns`).
    - Removed data: what scrubbing removed from the training text.

    A finding is known if it occurs in the training text or was removed from it. Spellings are compared by `identity`.

    Args:
        training: documents that the model was trained on.
        taken: personal data that scrubbing removed.
        min_score: minimum score of a pattern finding, as in scrub.min_score.
    """
    finder = PatternFinder(min_score)
    shaped = [[(one.entity, identity(text[one.start : one.end])) for one in resolve(finder.find(text), text)] for text in texts]
    learnt = _standing({said for own in shaped for _, said in own}, training) | taken.kinds.keys()
    found, known = [], []
    for text, own in zip(texts, shaped, strict=True):
        seen = {said for _, said in own}
        kept = [entity for entity, said in taken.within(text) if said not in seen]
        found.append([entity for entity, _ in own] + kept)
        known.append([entity for entity, said in own if said in learnt] + kept)
    return PersonalData([len(own) for own in found], [len(own) for own in known], _counted(found), _counted(known))


def _standing(wanted: set[Identity], training: Iterable[str]) -> set[Identity]:
    """Return the identities of `wanted` that occur in a document."""
    missing = {said: spelled(said) for said in wanted if said}
    for text in training if missing else ():
        plain = text.casefold()
        for said in [said for said, shape in missing.items() if shape.search(plain)]:
            del missing[said]
        if not missing:
            break
    return {said for said in wanted if said and said not in missing}


def _counted(kinds: Iterable[Iterable[str]]) -> dict[str, int]:
    return dict(sorted(Counter(kind for own in kinds for kind in own).items()))
