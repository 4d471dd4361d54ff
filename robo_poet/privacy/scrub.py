"""Replacement of personal data in documents, by the policy of their source (DATA-3, contract 11)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import tee

from presidio_anonymizer import AnonymizerEngine
from presidio_anonymizer.entities import RecognizerResult

from robo_poet.corpus.document import Document, language_code
from robo_poet.privacy.findings import Finding, disjoint, join_addresses
from robo_poet.privacy.names.engine import NameEngine, name_engine
from robo_poet.privacy.patterns.finder import PatternFinder
from robo_poet.privacy.pseudonyms import with_pseudonyms
from robo_poet.settings.data import Policy, ScrubSettings

BATCH = 256  # documents in memory during name detection
BATCH_CHARACTERS = 250_000  # about 10 s: after each batch, the step reports its progress


class Scrubber:
    """A scrubber of documents. It loads the name model when the first document needs it."""

    def __init__(self, settings: ScrubSettings, processes: int = 1) -> None:
        self.settings = settings
        self.processes = processes
        self._patterns = PatternFinder(settings.min_score, settings.rules)
        self._anonymizer = AnonymizerEngine()

    @cached_property
    def _names(self) -> NameEngine:
        return name_engine(self.settings)

    def policy(self, document: Document) -> Policy:
        """Return the policy of a document: none, patterns or full."""
        return self.settings.policies.get(document.source, self.settings.default_policy)

    def languages(self, documents: Iterable[Document]) -> Counter[str]:
        """Return the number of documents with policy full, by ISO 639 code, or by `unknown` for a missing or invalid language."""
        return Counter(language_code(document.language) for document in documents if self.policy(document) == "full")

    def uncovered(self, languages: Counter[str]) -> Counter[str]:
        """Return those of the languages that the name model does not cover. It misses their names without a warning."""
        covered = self._names.languages if languages else frozenset()
        return Counter({language: count for language, count in languages.items() if covered and language not in covered})

    def scrub(self, documents: Iterable[Document]) -> Iterator[tuple[Document, list[Finding]]]:
        """Yield each document without its personal data, and the findings; see `find` and `replaced`."""
        ahead, rest = tee(documents)  # `find` is at most a batch ahead
        for document, findings in zip(rest, self.find(ahead), strict=True):
            yield self.replaced(document, findings), findings

    def find(self, documents: Iterable[Document]) -> Iterator[list[Finding]]:
        """Yield the personal data of each document. The findings of a document do not depend on the other documents."""
        rest = iter(documents)
        while batch := _batch(rest):
            full_texts = [document.text for document in batch if self.policy(document) == "full"]
            names = iter(self._names.find(full_texts, self.processes) if full_texts else ())
            for document in batch:
                policy = self.policy(document)
                detected = [] if policy == "none" else self._patterns.find(document.text)
                if policy == "full":
                    detected = join_addresses([*detected, *next(names)], document.text)
                yield disjoint(detected, document.text)

    def replaced(self, document: Document, findings: list[Finding]) -> Document:
        """Return the document without the findings, whose offsets refer to its text.

        Id, work, split and provenance (title, author, licence, consent) are kept: to delete an author's texts, their author must be known
        (DATA-4). The digest is of the scrubbed text, because a digest of the original would allow guessing what was removed.
        """
        return document.with_text(self._replace(document.text, findings) if findings else document.text)

    def _replace(self, text: str, findings: list[Finding]) -> str:
        if self.settings.replace_by == "pseudonym":
            return with_pseudonyms(text, findings)
        spans = [RecognizerResult(f.entity, f.start, f.end, f.score) for f in findings]
        return str(self._anonymizer.anonymize(text, spans).text)


def _batch(documents: Iterator[Document]) -> list[Document]:
    """Take the next documents: one at least, and no further one after BATCH documents or BATCH_CHARACTERS characters."""
    batch: list[Document] = []
    characters = 0
    for document in documents:
        batch.append(document)
        characters += len(document.text)
        if len(batch) == BATCH or characters >= BATCH_CHARACTERS:
            break
    return batch
