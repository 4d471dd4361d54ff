"""What one document tells: its language, damaged characters, personal data by kind (counts only) and a sketch for near copies.

Each document is measured on its own, so a large corpus is measured by several processes, with the same result.
"""

import multiprocessing
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice

from robo_poet.corpus.document import Document
from robo_poet.corpus.plan import language_of
from robo_poet.description.near_copies import sketch
from robo_poet.privacy.findings import disjoint
from robo_poet.privacy.patterns import PatternFinder

DAMAGED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd]")  # U+FFFD, and all control characters except tab and line ends
MOST_PROCESSES = 4
BATCH = 512  # documents in memory


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """What one document tells. `personal` maps a kind of personal data to the number of its matches, never to a value."""

    language: str
    characters: int
    damaged: int
    personal: Mapping[str, int]
    sketch: tuple[int, ...]


def document_facts(text: str, language: str, min_score: float) -> DocumentFacts:
    """Measure a document.

    Args:
        language: its declared language; empty detects it.
        min_score: smallest confidence of a match of personal data.
    """
    personal = Counter(finding.entity for finding in disjoint(_patterns(min_score).find(text), text))
    return DocumentFacts(language or language_of(text), len(text), len(DAMAGED.findall(text)), personal, sketch(text))


def all_facts(documents: Iterable[Document], min_score: float, parallel: bool) -> Iterator[tuple[Document, DocumentFacts]]:
    """Yield each document with its facts, in order.

    Args:
        parallel: measure by several processes. They take under a second to start.
    """
    if not parallel:
        for document in documents:
            yield document, document_facts(document.text, document.language, min_score)
        return
    rest = iter(documents)
    _patterns(min_score)  # loaded before the processes start, so that they share it
    with multiprocessing.get_context("fork").Pool(min(MOST_PROCESSES, len(os.sched_getaffinity(0)))) as pool:
        while batch := list(islice(rest, BATCH)):  # in batches, because a pool reads all of its input immediately
            jobs = [(document.text, document.language, min_score) for document in batch]
            yield from zip(batch, pool.map(_job, jobs, chunksize=max(1, min(16, len(jobs) // 8))), strict=True)


@cache
def _patterns(min_score: float) -> PatternFinder:
    return PatternFinder(min_score)


def _job(arguments: tuple[str, str, float]) -> DocumentFacts:
    return document_facts(*arguments)
