"""Recall and precision of scrubbing, measured with identities that are planted into copies of the corpus's documents (DATA-3).

Nothing planted is stored: the copies exist in memory only, and the result has counts and shares.
"""

import heapq
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from robo_poet.corpus.document import Document, language_code
from robo_poet.digest import digest_bytes
from robo_poet.judges.scrub_recall import Count
from robo_poet.privacy.findings import Finding
from robo_poet.privacy.planted.identities import FORMATTED, KINDS, Identities, Planted, Sentence, locales_of
from robo_poet.settings.data import Policy

EXCERPT = 1_000  # characters of a copy: several windows of the name model (480 characters), and short enough for a run of seconds
SENTENCES = 3  # planted into a copy
COUNTED = {"patterns": FORMATTED, "full": frozenset(KINDS.values())}  # policy → kinds that it removes
BREAK = re.compile(r"(?<=[.!?…])\s+|\n+")  # where a sentence may be planted
# The kind of a finding that touches no planted value, by its entity. Other entities count in the total only.
ENTITIES = {
    "PERSON": "name", "STREET_ADDRESS": "street address", "EMAIL_ADDRESS": "e-mail", "PHONE_NUMBER": "telephone", "URL": "web address",
    "IP_ADDRESS": "IP address", "CREDIT_CARD": "card number", "IBAN_CODE": "account number", "DATE_OF_BIRTH": "date of birth",
}  # fmt: skip


@dataclass(frozen=True, order=True)
class Excerpt:
    """A part of a document. Excerpts are ordered by their rank, which depends on the seed and the document's id only."""

    rank: int
    document: Document = field(compare=False)
    policy: Policy = field(compare=False)


def excerpts_per_document(count: int, documents: int) -> int:
    """Return how many excerpts a document gives: one, or more if there are fewer documents than excerpts."""
    return -(-count // max(1, documents))


def sample_excerpts(
    documents: Iterable[Document], policy: Callable[[Document], Policy], seed: int, count: int, per_document: int = 1
) -> list[Excerpt]:
    """Return `count` random excerpts of up to 1,000 characters, in an order that does not depend on the order of the documents.

    Documents with the policy `none` are left out. The first excerpts of a corpus are the first of those of its parts.

    Args:
        per_document: excerpts of one document; see `excerpts_per_document`.
    """
    heap: list[tuple[int, Excerpt]] = []  # the largest rank is first
    for document in documents:
        if (kept := policy(document)) == "none" or not document.text.strip():
            continue
        for number in range(per_document):
            rank = int(digest_bytes(f"{seed}\0{document.id}\0{number}".encode("utf-8", "surrogatepass"))[:16], 16)
            if len(heap) < count or -rank > heap[0][0]:
                part = Document(document.id, document.group, _cut(document.text, rank), source=document.source, language=document.language)
                (heapq.heappush if len(heap) < count else heapq.heapreplace)(heap, (-rank, Excerpt(rank, part, kept)))
    return sorted(excerpt for _, excerpt in heap)


def _cut(text: str, rank: int) -> str:
    """Return a part of the text that begins and ends at white space, if there is some near."""
    start = rank % max(1, len(text) - EXCERPT + 1)
    part = text[start : start + EXCERPT]
    first, last = part.find(" ") if start else -1, part.rfind(" ")
    return part[first + 1 : last] if len(text) >= EXCERPT and last > first + 1 else part


@dataclass(frozen=True)
class Copy:
    """A copy of an excerpt with planted sentences.

    Args:
        document: the copy.
        policy: its policy.
        sentences: (position in the text, sentence), in text order.
    """

    document: Document
    policy: Policy
    sentences: tuple[tuple[int, Sentence], ...]


def plant(excerpts: Iterable[Excerpt], seed: int) -> list[Copy]:
    """Return a copy of each excerpt with three sentences, in the language of its document if there are templates in that language."""
    identities: dict[str, Identities] = {}
    copies = []
    for excerpt in excerpts:
        choose = random.Random(excerpt.rank)
        text = excerpt.document.text
        locale = choose.choice(locales_of(language_code(excerpt.document.language)))
        made = identities.setdefault(locale, Identities(locale, seed)).sentences(COUNTED[excerpt.policy])
        points = [match.end() for match in BREAK.finditer(text)] or [len(text)]
        parts, sentences, length, last = list[str](), list[tuple[int, Sentence]](), 0, 0
        for point, sentence in zip(sorted(choose.choices(points, k=SENTENCES)), made, strict=False):
            before = text[last:point]
            lines = before.endswith("\n") or not before
            before += "" if not before or before[-1].isspace() else "\n"
            sentences.append((length + len(before), sentence))
            parts += [before, sentence.text, "\n" if lines else " "]
            length, last = length + sum(map(len, parts[-3:])), point
        copies.append(Copy(replace(excerpt.document, text="".join(parts) + text[last:]), excerpt.policy, tuple(sentences)))
    return copies


def measure(copies: Sequence[Copy], found: Iterable[Sequence[Finding]]) -> dict[str, Any]:
    """Return recall and precision of the findings in the copies.

    A planted value counts as covered if every letter and digit of it is in a finding of any entity. A finding in a planted sentence
    is right if it touches a planted value. Findings in the document's own text are not judged.

    Args:
        found: the findings of each copy.

    Returns:
        `copies`, `documents`, and the figures of `Count.as_json` over `all`, and by `kind`, `shape`, `language` and `policy`.
    """
    counts: dict[str, dict[str, Count]] = {group: defaultdict(Count) for group in ("all", "kind", "shape", "language", "policy")}
    for number, (copy, findings) in enumerate(zip(copies, found, strict=True)):
        groups = {"all": "all", "language": language_code(copy.document.language), "policy": copy.policy}
        covered = bytearray(len(copy.document.text))
        for finding in findings:
            covered[finding.start : finding.end] = b"\1" * (finding.end - finding.start)
        for start, sentence in copy.sentences:
            for value in sentence.planted:
                if value.kind in COUNTED[copy.policy]:
                    hit = all(covered[start + place] for place in range(value.start, value.end) if sentence.text[place].isalnum())
                    for group, name in {**groups, "kind": value.kind, "shape": value.shape}.items():
                        unit = counts[group][name].units[number]
                        unit[0] += hit
                        unit[1] += 1
            for finding in findings:
                if start < finding.end and finding.start < start + len(sentence.text):
                    touched = _touched(sentence.planted, finding.start - start, finding.end - start)
                    kind = touched.kind if touched else ENTITIES.get(finding.entity)
                    for group, name in {**groups, **({"kind": kind} if kind else {})}.items():
                        counts[group][name].findings += 1
                        counts[group][name].right += touched is not None
    result: dict[str, Any] = {"copies": len(copies), "documents": len({copy.document.id for copy in copies})}
    for group, by_name in counts.items():
        figures = {name: count.as_json() for name, count in sorted(by_name.items())}
        result[group] = figures.get("all", Count().as_json() if group == "all" else None) if group == "all" else figures
    return result


def _touched(planted: Iterable[Planted], start: int, end: int) -> Planted | None:
    return next((value for value in planted if value.start < end and start < value.end), None)
