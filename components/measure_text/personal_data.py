"""Personal data in completions, and whether it comes from the training text (DATA-3, EVAL-3).

Completions are searched for patterns, and for the data that scrubbing removed from the training text. The recogniser may have found a
name in one passage and missed it in another, so the model can still learn it. Two spellings of the same data have the same normal form
(`identity`). Results contain counts and kinds. The data itself stays in memory and is never written.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from robo_poet.corpus.parquet import read_documents
from robo_poet.privacy.findings import disjoint, read_audit
from robo_poet.privacy.names.known_names import PERSON, POSSESSIVE, is_full_name
from robo_poet.privacy.patterns.finder import PatternFinder

Identity = tuple[str, ...]
MINIMUM_DIGITS = 7  # minimum digits of a number that identifies a person
DIGIT_SEPARATORS = r"[^\w\n]{0,4}"  # separators allowed between two digits of a number
_NUMBER = re.compile(rf"\d(?:{DIGIT_SEPARATORS}\d)*")
_WORD = re.compile(r"[^\W_]+")


def identity(text: str) -> Identity:
    """Return the case-folded words, without possessive `'s`. A number of 7 or more digits is one word without its separators."""

    return tuple(word.casefold() for word in _words(text))


def _words(text: str) -> list[str]:
    """Return the words of `identity` as they are written."""

    def join_digits(match: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", match.group())
        return f" {digits} " if len(digits) >= MINIMUM_DIGITS else match.group()

    return _WORD.findall(_NUMBER.sub(join_digits, POSSESSIVE.sub("", text)))


def spelling_pattern(data: Identity) -> re.Pattern[str]:
    """Return a pattern that matches every spelling of an identity in a case-folded text (`str.casefold`)."""
    patterns = (DIGIT_SEPARATORS.join(word) if word.isdecimal() and len(word) >= MINIMUM_DIGITS else re.escape(word) for word in data)
    return re.compile(r"(?<![^\W_])" + r"(?:['’]s\b)*[\W_]+".join(patterns) + r"(?![^\W_])")


MAXIMUM_IDENTITY_WORDS = 8  # words of an identity; longer ones are cut to their first 8


@dataclass(frozen=True)
class RemovedData:
    """The removed personal data to search for.

    Args:
        kinds: identity → kind, such as PERSON.
        skipped: number of distinct findings that are not searched for, because they do not identify a person.
        common: names that consist of common words, such as "Download Dataset" in a manual. They are found only with capitals.
        handles: found only with the `@` before them. In a manual `@beartype` is a decorator, and "beartype" a word of the text.
    """

    kinds: Mapping[Identity, str]
    skipped: int = 0
    common: frozenset[Identity] = frozenset()
    handles: frozenset[Identity] = frozenset()

    def find_in(self, text: str) -> Iterator[tuple[str, Identity]]:
        """Yield (kind, identity) of each occurrence in `text`."""
        written = _words(text)
        words = tuple(map(str.casefold, written))
        for length in sorted({len(data) for data in self.kinds}):
            for start in range(len(words) - length + 1):
                candidate = words[start : start + length]
                if candidate not in self.kinds or (candidate in self.handles and f"@{written[start]}" not in text):
                    continue
                if candidate not in self.common or not any(word[0].islower() for word in written[start : start + length]):
                    yield self.kinds[candidate], candidate


def load_removed_data(corpus: Path, audit: Path) -> RemovedData:
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
    handles: set[Identity] = set()
    on_one_line: set[Identity] = set()
    for document in read_documents(corpus, "train") if spans_of else ():
        for entity, finding in _joined_names(document.text, spans_of.get(document.id, ())):
            if _identifies(entity, finding):
                name = identity(finding)[:MAXIMUM_IDENTITY_WORDS]
                kinds[name] = entity
                if finding.startswith("@"):
                    handles.add(name)
                if "\n" not in finding:
                    on_one_line.add(name)
            else:
                skipped.add(finding)
    kinds.pop((), None)
    names = [name for name, entity in kinds.items() if entity == PERSON]
    common = common_words(names, (document.text for document in read_documents(corpus, "train")))
    of_common_words = {name for name in names if common.issuperset(name)}
    for name in of_common_words - on_one_line:  # the last word of a heading and the first of the text below: "GIT" and "Part of the suite"
        del kinds[name]
    return RemovedData(kinds, len(skipped), frozenset(of_common_words & on_one_line), frozenset(handles))


def _identifies(entity: str, finding: str) -> bool:
    """Return True if the data alone identifies a person: a full name, and not only digits of a short number such as a house number."""
    if entity == PERSON:
        return is_full_name(finding)
    words = identity(finding)
    return not all(word.isdecimal() for word in words) or sum(map(len, words)) >= MINIMUM_DIGITS


COMMON_DOCUMENTS = 3  # documents with the word in lower case …
COMMON_TIMES = 10  # … or occurrences in lower case: a word like "maintenance" may be the subject of one document of a manual
_SEPARATE_WORD = re.compile(r"(?<![\w.@/-])[^\W\d_]+(?![\w@/-]|\.\w)")


def common_words(names: Iterable[Identity], documents: Iterable[str]) -> set[str]:
    """Return the words of names that occur in lower case, as separate words, in three documents or ten times or more.

    A word does not count next to its neighbour in a name: it may be the name itself, in lower case.
    """
    names = list(names)
    wanted = {word for name in names for word in name}
    neighbours = {pair for name in names for pair in pairwise(name)}
    in_documents: Counter[str] = Counter()
    times: Counter[str] = Counter()
    for text in documents if wanted else ():
        words = ["", *_SEPARATE_WORD.findall(text), ""]
        triples = zip(words, words[1:], words[2:], strict=False)
        here = Counter(
            word
            for before, word, after in triples
            if word in wanted and (before.casefold(), word) not in neighbours and (word, after.casefold()) not in neighbours
        )
        in_documents.update(here.keys())
        times.update(here)
    return {word for word in times if in_documents[word] >= COMMON_DOCUMENTS or times[word] >= COMMON_TIMES}


def _joined_names(text: str, spans: Iterable[tuple[str, int, int]]) -> Iterator[tuple[str, str]]:
    """Yield (kind, text) of the findings. Names separated only by white space are joined: a name can cross a line break."""
    current: tuple[str, int, int] | None = None
    for entity, start, end in sorted(spans, key=lambda span: span[1]):
        if current and current[0] == entity == PERSON and not text[current[2] : start].strip():
            current = entity, current[1], end
            continue
        if current:
            yield current[0], text[current[1] : current[2]]
        current = entity, start, end
    if current:
        yield current[0], text[current[1] : current[2]]


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


def find_personal_data(texts: Sequence[str], training: Iterable[str], removed: RemovedData, min_score: float) -> PersonalData:
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
        [(finding.entity, identity(text[finding.start : finding.end])) for finding in disjoint(finder.find(text), text)] for text in texts
    ]
    in_training = (
        _identities_in({normalised for findings in pattern_findings for _, normalised in findings}, training) | removed.kinds.keys()
    )
    found_kinds, known_kinds = [], []
    for text, findings in zip(texts, pattern_findings, strict=True):
        pattern_identities = {normalised for _, normalised in findings}
        removed_kinds = [entity for entity, normalised in removed.find_in(text) if normalised not in pattern_identities]
        found_kinds.append([entity for entity, _ in findings] + removed_kinds)
        known_kinds.append([entity for entity, normalised in findings if normalised in in_training] + removed_kinds)
    return PersonalData(
        [len(findings) for findings in found_kinds],
        [len(findings) for findings in known_kinds],
        _count_kinds(found_kinds),
        _count_kinds(known_kinds),
    )


def _identities_in(wanted: set[Identity], training: Iterable[str]) -> set[Identity]:
    """Return the identities of `wanted` that occur in a document."""
    pending = {data: spelling_pattern(data) for data in wanted if data}
    for text in training if pending else ():
        folded = text.casefold()
        for data in [data for data, pattern in pending.items() if pattern.search(folded)]:
            del pending[data]
        if not pending:
            break
    return {data for data in wanted if data and data not in pending}


def _count_kinds(kinds: Iterable[Iterable[str]]) -> dict[str, int]:
    return dict(sorted(Counter(kind for text_kinds in kinds for kind in text_kinds).items()))
