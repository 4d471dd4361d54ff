"""Facts about one document: its language, damaged characters, and personal data by kind (counts only).

Each document is measured on its own, so a large corpus is measured by several processes, with the same result.
"""

import multiprocessing
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice

from robo_poet.corpus.curation.quality import DAMAGED_CHARACTER, language_of
from robo_poet.corpus.document import Document
from robo_poet.privacy.findings import disjoint
from robo_poet.privacy.patterns.finder import PatternFinder

MOST_PROCESSES = 4
BATCH, BATCH_CHARACTERS = 4_096, 2_000_000  # documents in memory, and their characters
LONG = 1_000  # characters; the language of a longer document is always detected
_NONE: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """Facts about one document. `personal` maps a kind of personal data to the number of its matches, never to a value.

    `language` is empty if it was not detected.
    """

    language: str
    characters: int
    damaged: int
    personal: Mapping[str, int]


@dataclass(frozen=True)
class Measures:
    """What is measured.

    Attributes:
        min_score: smallest confidence of a match of personal data.
        language_share: share of the short documents whose language is detected.
    """

    min_score: float
    language_share: float = 1

    def detects(self, document: Document) -> bool:
        """Return True if the language of a document is detected: it is long, or in the sample, and none is declared."""
        if document.language:
            return False
        return len(document.text) >= LONG or self.language_share >= 1 or int(document.sha256[:8], 16) < self.language_share * 2**32


def document_facts(text: str, language: str, measures: Measures, detect: bool = True) -> DocumentFacts:
    """Measure a document.

    Args:
        language: its declared language.
        detect: True detects the language if none is declared.
    """
    findings = _patterns(measures.min_score).find(text)
    personal = Counter(finding.entity for finding in disjoint(findings, text)) if findings else _NONE
    language = language or (language_of(text) if detect else "")
    damaged = len(DAMAGED_CHARACTER.findall(text))
    return DocumentFacts(language, len(text), damaged, personal)


def all_facts(documents: Iterable[Document], measures: Measures, parallel: bool) -> Iterator[tuple[Document, DocumentFacts]]:
    """Yield each document with its facts, in order. Documents have their digest.

    Args:
        parallel: measure by several processes. They take under a second to start.
    """
    if not parallel:
        for document in documents:
            yield document, document_facts(document.text, document.language, measures, measures.detects(document))
        return
    rest = iter(documents)
    _patterns(measures.min_score)  # loaded before the processes start, so that they share it
    with multiprocessing.get_context("fork").Pool(min(MOST_PROCESSES, len(os.sched_getaffinity(0)))) as pool:
        while batch := list(_batch(rest)):  # in batches, because a pool reads all of its input immediately
            jobs = [(document.text, document.language, measures, measures.detects(document)) for document in batch]
            yield from zip(batch, pool.map(_job, jobs, chunksize=max(1, len(jobs) // 32)), strict=True)


def _batch(documents: Iterator[Document]) -> Iterator[Document]:
    """Take the documents of one batch."""
    characters = 0
    for document in islice(documents, BATCH):
        yield document
        characters += len(document.text)
        if characters >= BATCH_CHARACTERS:
            break


@cache
def _patterns(min_score: float) -> PatternFinder:
    return PatternFinder(min_score)


def _job(arguments: tuple[str, str, Measures, bool]) -> DocumentFacts:
    return document_facts(*arguments)
