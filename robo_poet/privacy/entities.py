"""Names, addresses and numbers of persons from the token probabilities of `entity_model`, as findings and as a Presidio recogniser.

- A word counts if one of its word pieces does, so that no part of a name stays.
- Neighbours are joined: given names and surnames, with particles and initials between them; house number, street, flat, city and post code.
- Cities and states alone are common in poems, and identify no one. They count only as a part of an address.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from presidio_analyzer import AnalysisExplanation, EntityRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts

from robo_poet.privacy.entity_model import KINDS, LANGUAGES, Tokens, load_entity_model
from robo_poet.privacy.false_alarms import impersonal_numbers
from robo_poet.privacy.findings import ADDRESS, ADDRESS_GAP, Finding
from robo_poet.privacy.normal_form import normal_form
from robo_poet.privacy.repeated_names import PERSON, repeated_names

RECOGNIZER = "EntityModel"
# Kind of the model → entity of Presidio. The entities of these names are Presidio's; the others are ours.
ENTITIES = {
    "GIVEN_NAME": PERSON, "SURNAME": PERSON, "EMAIL": "EMAIL_ADDRESS", "PHONE": "PHONE_NUMBER", "URL": "URL", "TAX_ID": "TAX_ID",
    "BANK_ACCOUNT": "BANK_ACCOUNT", "ROUTING_NUMBER": "BANK_ACCOUNT", "GOVERNMENT_ID": "NATIONAL_ID", "PASSPORT": "PASSPORT",
    "DRIVERS_LICENSE": "DRIVER_LICENSE", "BUILDING_NUMBER": ADDRESS, "STREET_NAME": ADDRESS, "SECONDARY_ADDRESS": ADDRESS, "CITY": ADDRESS,
    "STATE": ADDRESS, "ZIP_CODE": ADDRESS,
}  # fmt: skip
_ENTITY = tuple(ENTITIES[kind] for kind in KINDS)
_REGION = frozenset({"CITY", "STATE"})
_PARTICLES = "de del della di da do dos das du des la las los le van von der den zu zur af av bin ibn ben al el y e i san st".split()
_NAME_GAP = re.compile(
    rf"(?:[ \t\u00a0]*[-'’]|[ \t\u00a0]+|\.[ \t]*)(?:(?:{'|'.join(_PARTICLES)}|[^\W\d_]\.)(?:[ \t]+|['’]))*", re.IGNORECASE
)
_NUMBER_GAP = re.compile(r"[^\w\n]{0,3}")
MINIMUM_DIGITS = 5  # digits of a number that identifies a person
STREET_SCORE = 0.6  # least score of a street without a number: verse has "Fleet Street", and "the long road home"


@dataclass(slots=True)
class _Part:
    """A word that the model found."""

    start: int
    end: int
    kind: str
    entity: str
    score: float


class EntityFinder:
    """A finder of names, addresses and numbers in texts of `languages`. It keeps no state between texts.

    Args:
        threshold: least probability of a word piece.

    Raises:
        BadInput: the model is not installed.
    """

    languages = LANGUAGES

    def __init__(self, threshold: float) -> None:
        self._model = load_entity_model()
        self._threshold = threshold

    def find(self, texts: Sequence[str], threads: int = 1) -> list[list[Finding]]:
        """Return the findings of each text."""
        normal_forms = [normal_form(text) for text in texts]
        per_text = []
        for normal, tokens in zip(normal_forms, self._model.classify([normal.text for normal in normal_forms], threads), strict=True):
            findings = list(self._findings(normal.text, tokens))
            findings += repeated_names(normal.text, findings, _PARTICLES.__contains__)
            per_text.append([normal.original(finding) for finding in findings])
        return per_text

    def _findings(self, text: str, tokens: Tokens) -> Iterator[Finding]:
        parts = list(_words(text, tokens, self._threshold))
        if not parts:
            return
        impersonal = bytearray(len(text))
        if any(part.entity not in (PERSON, ADDRESS) for part in parts):
            for start, end in impersonal_numbers(text):
                impersonal[start:end] = b"\1" * (end - start)
        for group in _groups(text, parts):
            start, end = group[0].start, group[-1].end
            if _is_personal(text, group) and not any(impersonal[start:end]):
                yield Finding(group[0].entity, start, end, max(part.score for part in group), RECOGNIZER)


def _words(text: str, tokens: Tokens, threshold: float) -> Iterator[_Part]:
    """Yield the words with a word piece of at least the threshold."""
    scores = tokens.chances.sum(axis=1)
    last: _Part | None = None
    for place in np.flatnonzero(scores >= threshold):
        start, end = int(tokens.starts[place]), int(tokens.ends[place])
        kind = int(tokens.chances[place].argmax())
        if not any(map(str.isalnum, text[start:end])):
            continue
        while start > 0 and text[start - 1].isalnum():
            start -= 1
        while end < len(text) and text[end].isalnum():
            end += 1
        part = _Part(start, end, KINDS[kind], _ENTITY[kind], float(scores[place]))
        if last and last.start == start:
            if part.score > last.score:
                last.kind, last.entity = part.kind, part.entity
            last.score = max(last.score, part.score)
            continue
        if last:
            yield last
        last = part
    if last:
        yield last


def _groups(text: str, parts: Sequence[_Part]) -> Iterator[list[_Part]]:
    """Yield the words that belong together."""
    group = [parts[0]]
    for part in parts[1:]:
        gap = text[group[-1].end : part.start]
        pattern = {PERSON: _NAME_GAP, ADDRESS: ADDRESS_GAP}.get(part.entity, _NUMBER_GAP)
        if part.entity == group[-1].entity and pattern.fullmatch(gap):
            group.append(part)
        else:
            yield group
            group = [part]
    yield group


def _is_personal(text: str, group: Sequence[_Part]) -> bool:
    """Judge a group by its kinds and its characters."""
    entity, content = group[0].entity, text[group[0].start : group[-1].end]
    if entity == PERSON:
        return len(content) > 1 and not any(map(str.isdigit, content))
    digits = sum(map(str.isdigit, content))
    if entity == ADDRESS:
        kinds = {part.kind for part in group} - _REGION
        if not kinds or kinds == {"BUILDING_NUMBER"}:
            return False
        if digits:
            return len(kinds) > 1 or digits >= 4 or kinds != {"ZIP_CODE"}
        return "STREET_NAME" in kinds and max(part.score for part in group) >= STREET_SCORE and len(group) > 1
    if entity == "EMAIL_ADDRESS":
        return "@" in content
    if entity == "URL":
        return "." in content
    return digits >= MINIMUM_DIGITS


class EntityModelRecognizer(EntityRecognizer):
    """The finder as a recogniser of Presidio, for an `AnalyzerEngine`."""

    def __init__(self, threshold: float, supported_language: str = "en") -> None:
        self._threshold = threshold
        super().__init__(sorted(set(ENTITIES.values())), name=RECOGNIZER, supported_language=supported_language)

    def load(self) -> None:
        """Load the model.

        Raises:
            BadInput: the model is not installed.
        """
        self._finder = EntityFinder(self._threshold)

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None) -> list[RecognizerResult]:
        """Return the findings of the wanted entities."""
        [findings] = self._finder.find([text])
        return [
            RecognizerResult(
                finding.entity, finding.start, finding.end, finding.score, AnalysisExplanation(RECOGNIZER, finding.score),
                {RecognizerResult.RECOGNIZER_NAME_KEY: self.name, RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id},
            )
            for finding in findings
            if finding.entity in entities
        ]  # fmt: skip
