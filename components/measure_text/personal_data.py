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


def find_personal_data(texts: Sequence[str], training: Iterable[str], removed: TakenOut, min_score: float) -> PersonalData:
    """Search texts for two sorts of personal data: patterns and removed data.

    - Patterns: addresses, numbers, keys (`robo_poet.privacy.patterns`).
    - Removed data: what scrubbing removed from the training text.

    A finding is known if it occurs in the training text or was removed from it. Spellings are compared by `identity`.

    Args:
        training: documents that the model was trained on.
        removed: personal data that scrubbing removed from them.
        min_score: minimum score of a pattern finding, as in scrub.min_score.
    """
    finder = PatternFinder(min_score)
    pattern_findings = [
        [(finding.entity, identity(text[finding.start : finding.end])) for finding in resolve(finder.find(text), text)] for text in texts
    ]
    in_training = _standing({normalised for findings in pattern_findings for _, normalised in findings}, training) | removed.kinds.keys()
    found_kinds, known_kinds = [], []
    for text, findings in zip(texts, pattern_findings, strict=True):
        pattern_identities = {normalised for _, normalised in findings}
        removed_kinds = [entity for entity, normalised in removed.within(text) if normalised not in pattern_identities]
        found_kinds.append([entity for entity, _ in findings] + removed_kinds)
        known_kinds.append([entity for entity, normalised in findings if normalised in in_training] + removed_kinds)
    return PersonalData(
        [len(findings) for findings in found_kinds],
        [len(findings) for findings in known_kinds],
        _counted(found_kinds),
        _counted(known_kinds),
    )


def _standing(wanted: set[Identity], training: Iterable[str]) -> set[Identity]:
    """Return the identities of `wanted` that occur in a document."""
    pending = {data: spelled(data) for data in wanted if data}
    for text in training if pending else ():
        folded = text.casefold()
        for data in [data for data, pattern in pending.items() if pattern.search(folded)]:
            del pending[data]
        if not pending:
            break
    return {data for data in wanted if data and data not in pending}


def _counted(kinds: Iterable[Iterable[str]]) -> dict[str, int]:
    return dict(sorted(Counter(kind for text_kinds in kinds for kind in text_kinds).items()))
