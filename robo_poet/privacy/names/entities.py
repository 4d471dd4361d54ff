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

from robo_poet.privacy.findings import ADDRESS, ADDRESS_GAP, Finding
from robo_poet.privacy.names.entity_model import KINDS, LANGUAGES, Tokens, load_entity_model
from robo_poet.privacy.names.repeated_names import PERSON, repeated_names
from robo_poet.privacy.patterns.false_alarms import FUNCTION_WORDS, impersonal_numbers, without_years_of_lives
from robo_poet.privacy.patterns.normal_form import normal_form

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
    r"(?:[ \t\u00a0]*[-'’]|[ \t\u00a0]+|\.[ \t]*)"
    rf"(?:(?:{'|'.join(_PARTICLES)}|[^\W\d_]\.)(?:[ \t]+|['’]))*",
    re.IGNORECASE,
)
_NUMBER_GAP = re.compile(r"[^\w\n]{0,3}")
LONGEST_WORD = 64  # characters of a word before and after its word piece; a text may be one huge word
MINIMUM_DIGITS = 5  # digits of a number that identifies a person
NEIGHBOUR = 0.05  # least probability of a word next to one that counts
# A title before a name. A name after it counts even if the model misses it.
_TITLE = (
    "mr mrs ms miss mx dr prof professor doctor sir madam sra sr srta señora señor señorita don doña dra monsieur madame mademoiselle "
    "mme mlle docteur maître herr herrn frau fräulein"
).split()
_NAME_WORD = r"[^\W\d_a-zß-ÿ][^\W\d_]*(?:[.'’-][^\W\d_]+)*"
_TITLED = re.compile(
    rf"(?<![^\W_])(?:{'|'.join(word[0].upper() + word[1:] for word in _TITLE)}|don|doña|señora?|monsieur|madame)\.?[ \t]"
    rf"(?P<name>{_NAME_WORD}(?:[ \t](?:(?:{'|'.join(_PARTICLES[:22])})[ \t])*{_NAME_WORD}){{0,2}})"
)
# Least probabilities by shape, where they differ from the threshold. Verse has many rare words, and a capital at the start of each line.
SINGLE_NAME, PAIR, OTHER = 0.5, 0.1, 0.3  # a single name in verse; a pair of words with capitals in a sentence; addresses and numbers
LOWER_CASE_PROSE = 0.5
LOWER_CASE, LINE_START = 0.9, 0.6  # least probability of a word in lower case, and of a word at the start of a line
_STREET = re.compile(
    r"^(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|court|boulevard|blvd|place|square|terrace|"
    r"crescent|highway|calle|avenida|plaza|paseo|rue|"
    r"boulevard|chemin|allée|impasse|.*stra(?:ß|ss)e|.*platz|.*weg|.*allee|.*gasse)$",
    re.IGNORECASE,
)
# A given name, an initial and a surname: *Teodor K. Aune*.
_SENTENCE_WORDS = "|".join(word.title() for word in sorted(FUNCTION_WORDS) if len(word) > 1)
_INITIAL = re.compile(
    rf"(?<![^\W_])(?P<name>(?!(?:{_SENTENCE_WORDS})[ ]){_NAME_WORD}[ ](?:[^\W\d_a-zß-ÿ]\.|[B-HJ-Z])[ ](?=[^\W\d_]{{3}}){_NAME_WORD})"
)
TITLED_SCORE = 0.5
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
        searched = [without_years_of_lives(normal.text) for normal in normal_forms]
        per_text = []
        for normal, text, tokens in zip(normal_forms, searched, self._model.classify(searched, threads), strict=True):
            findings = list(self._findings(text, tokens))
            common = _PARTICLE_SET | _VERSE_WORDS if is_verse(text) else _PARTICLE_SET
            findings += repeated_names(text, findings, common.__contains__)
            per_text.append([normal.original(finding) for finding in findings])
        return per_text

    def _findings(self, text: str, tokens: Tokens) -> Iterator[Finding]:
        parts = list(_words(text, tokens, min(NEIGHBOUR, self._threshold)))
        if not parts:
            return
        lower_case = frozenset(_LOWER_CASE.findall(text))
        verse = is_verse(text)
        impersonal = bytearray(len(text))
        if any(part.entity not in (PERSON, ADDRESS) for part in parts):
            for start, end in impersonal_numbers(text):
                impersonal[start:end] = b"\1" * (end - start)
        for group in _groups(text, parts):
            start, end = group[0].start, group[-1].end
            if group[0].entity == PERSON:
                group = _trim_name(text, group, lower_case, verse)
                if not group:
                    continue
                start, end = group[0].start, _name_end(text, group[-1].end, lower_case)
            score = max(part.score for part in group)
            if (
                score >= _least(text, group, self._threshold, lower_case, verse)
                and _is_personal(text, group)
                and not any(impersonal[start:end])
            ):
                yield Finding(group[0].entity, start, end, score, RECOGNIZER)
        for pattern, recognizer in ((_TITLED, "TitledName"), (_INITIAL, "NameWithInitial")):
            for match in pattern.finditer(text):
                yield Finding(PERSON, *match.span("name"), TITLED_SCORE, recognizer)


def _words(text: str, tokens: Tokens, threshold: float) -> Iterator[_Part]:
    """Yield the words with a word piece of at least the threshold."""
    scores = tokens.chances.sum(axis=1)
    last: _Part | None = None
    for place in np.flatnonzero(scores >= threshold):
        start, end = int(tokens.starts[place]), int(tokens.ends[place])
        kind = int(tokens.chances[place].argmax())
        if not any(map(str.isalnum, text[start:end])):
            continue
        first, latest = max(0, start - LONGEST_WORD), min(len(text), end + LONGEST_WORD)
        while start > first and text[start - 1].isalnum():
            start -= 1
        while end < latest and text[end].isalnum():
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


# Words with a capital in verse that are not names of persons. A single one is dropped, and no other occurrence is searched for.
_VERSE_WORDS = frozenset(
    "god gods king kings queen prince princess lord lords lady sir angel angels seraph cherub spirit beast serpent father son sons heaven "
    "heavens heav eternal almighty supream supreme glory chariot city citie muse parson nay yea ay alas amen lo farewell marry prithee "
    "sirrah belike yonder pardon whither good-morrow to-morrow holla exeunt exit enter faith sweet love mirth melancholy patience "
    "disdain devil devils enemy ethiope turk christian athenian traveller gentleman virgin".split()
)
_PARTICLE_SET = frozenset(_PARTICLES)
_LOWER_CASE = re.compile(r"(?<![\w.@/-])[^\W\d_A-ZÀ-Þ][^\W\d_]+(?![\w@/])")
_CAPITALISED = re.compile(r"(?<![^\W_])[^\W\d_a-zß-ÿ][^\W_]*")
_NEXT_WORD = re.compile(r"[ \t](?P<word>[^\W\d_a-zß-ÿ][^\W\d_]+(?:[-'’][^\W\d_]{2,})*)(?![\w@])")
_LINE_START = re.compile(r"(?:^|[\n.!?:;])[\s\"'“”‘’«»(–—-]*$")


def _trim_name(text: str, group: Sequence[_Part], lower_case: frozenset[str], verse: bool) -> list[_Part]:
    """Remove words at both ends that are hardly names, by their case.

    - A word in lower case, or one that also occurs in lower case in the text, needs a high probability. Verse has many rare words.
    - So does, less so, a single word at the start of a line or sentence, where every word has a capital.
    """

    def counts(part: _Part) -> bool:
        word = text[part.start : part.end]
        if word[0].islower() or (word.casefold() in lower_case and not word.isupper()):
            return part.score >= (LOWER_CASE if verse else LOWER_CASE_PROSE)
        if verse and len(group) == 1 and word.casefold() in _VERSE_WORDS:
            return False
        if verse and len(group) == 1 and _LINE_START.search(text, max(0, part.start - 6), part.start):
            return part.score >= LINE_START
        return True

    named = [place for place, part in enumerate(group) if counts(part)]
    return list(group[named[0] : named[-1] + 1]) if named else []


def is_verse(text: str) -> bool:
    """Return True for a text of short lines that mostly start with a capital letter."""
    lines = [line.strip() for line in text.split("\n", 400)[:400] if line.strip()]
    short = [line for line in lines if len(line) <= 70]
    return (
        len(lines) >= 6
        and len(short) >= 0.8 * len(lines)
        and 2 * sum(line.lstrip("\"'“‘(—-")[:1].isupper() for line in lines) >= len(lines)
    )


def _least(text: str, group: Sequence[_Part], threshold: float, lower_case: frozenset[str], verse: bool) -> float:
    """Return the least probability of a group. A single name needs more; a pair of words with capitals inside a sentence needs less."""
    if group[0].entity != PERSON:
        return max(threshold, OTHER)
    words = _CAPITALISED.findall(text, group[0].start, group[-1].end)
    if len(words) < 2:
        return max(threshold, SINGLE_NAME) if verse else threshold
    starts_line = _LINE_START.search(text, max(0, group[0].start - 6), group[0].start)
    return (
        max(threshold, OTHER if verse else 0)
        if starts_line or any(word.casefold() in lower_case for word in words)
        else min(threshold, PAIR)
    )


def _name_end(text: str, end: int, lower_case: frozenset[str]) -> int:
    """Return the end of a name with the capitalised words after it, which the model misses if they are rare."""
    while word := _NEXT_WORD.match(text, end):
        folded = word["word"].casefold()
        if folded in lower_case or folded in FUNCTION_WORDS or word["word"].isupper():
            break
        end = word.end()
    return end


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
        named = any(_STREET.search(text[part.start : part.end]) for part in group)
        return "STREET_NAME" in kinds and named and content != content.lower() and max(part.score for part in group) >= STREET_SCORE
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
