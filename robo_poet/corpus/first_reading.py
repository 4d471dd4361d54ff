"""The first reading of a source: a record of each document that can be kept, and the reason for each that cannot.

It drops documents without text, documents that fail a quality rule, exact duplicates and near-duplicates, in this order.
"""

import hashlib
from array import array
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from robo_poet.corpus.curation.dropped import DELETED, EMPTY, EXACT, NEAR, Drops
from robo_poet.corpus.curation.examination import Examination, ExaminationHere
from robo_poet.corpus.curation.near_duplicates import NearDuplicate
from robo_poet.corpus.document import FIELDS, Document
from robo_poet.corpus.split import unit_hash
from robo_poet.display import quotable_name
from robo_poet.errors import BadInput
from robo_poet.settings.data import IngestSettings

# values of the column consent that say no; other values are not interpreted
WITHHELD = frozenset("no n false 0 withheld refused denied declined revoked withdrawn opt-out nein non".split())
MOST_COPIES = 5  # duplicates that a warning names
DIGEST_BYTES = 16  # bytes per document in `FirstReading.digests`


@dataclass(slots=True)
class DocumentRecord:
    """A record of one document from the first reading, without its text. Dropped documents have no record."""

    index: int  # in reading order, from 0
    group: str  # name of its work
    split_key: str  # of its work
    size: int  # bytes of UTF-8
    source: str
    date: str
    rank: float  # in [0, 1), from the seed and the text; a sample takes documents in rising rank
    id: str = ""


@dataclass
class FirstReading:
    """The result of a first reading.

    Attributes:
        records: the documents that can be kept, in reading order.
        digests: digests of all documents in reading order, 16 bytes each.
        drops: the documents that are dropped.
        near: near-duplicates and the documents that they repeat, by record of all documents that are not exact duplicates. With the
            setting `warn` they are kept.
        pairs: (near-duplicate, repeated document) as records, in the order of `near`.
        copies: index → id of the first five exact duplicates.
        uncertain: documents with more candidates than were compared.
        failed: reason → number of documents that fail a quality rule, if they are only counted.
    """

    records: list[DocumentRecord]
    digests: bytes
    drops: Drops
    near: list[NearDuplicate]
    pairs: list[tuple[DocumentRecord, DocumentRecord]]
    copies: dict[int, str]
    uncertain: int
    failed: dict[str, int]

    @property
    def total(self) -> int:
        """Return the number of all documents."""
        return len(self.drops)


def read_records(
    documents: Iterable[Document],
    settings: IngestSettings,
    seed: int,
    where: str,
    folder: Path | None = None,
    deleted: Iterable[Document] = (),
    examination: Examination | None = None,
) -> FirstReading:
    """Read a source for the first time.

    Args:
        documents: without those that were deleted on request.
        deleted: documents of the source that were deleted on request. If near-duplicates are searched, those of them are dropped too, so
            that none takes the place of a deleted document.
        where: the source, for error messages.
        folder: folder of a temporary file of 8 bytes per word, if near-duplicates are searched; None for the system's.
        examination: what examines the documents, if it is not this process.

    Raises:
        BadInput: two documents with different texts share an id, or a document's consent is withheld.
    """
    with nullcontext(examination) if examination else ExaminationHere(settings, folder) as examiner:
        if settings.near_duplicates != "keep":
            for _ in examiner.examined(deleted):
                examiner.choose()
        deletions = examiner.chosen()
        records, digests, drops, copies, failed = _read(examiner, documents, settings, seed, where)
        near, uncertain = _near_duplicates(records, examiner, deletions) if examiner.chosen() else ([], 0)
    near_deleted = {records[pair.position].index for pair in near if pair.kept < 0}
    for index in near_deleted:
        drops.drop(index, DELETED)
    for index in drops.drop_copies(near_deleted, DELETED):
        copies.pop(index, None)
    near = [pair for pair in near if pair.kept >= 0]
    pairs = [(records[pair.position], records[pair.kept]) for pair in near]
    if settings.near_duplicates == "drop":
        for pair, (record, kept) in zip(near, pairs, strict=True):
            drops.drop(record.index, NEAR, of=(kept.index, kept.id), value=pair.similarity)
    records = [record for record in records if drops.keeps(record.index)]
    return FirstReading(records, digests, drops, near, pairs, copies, uncertain, failed)


def _read(
    examiner: Examination, documents: Iterable[Document], settings: IngestSettings, seed: int, where: str
) -> tuple[list[DocumentRecord], bytes, Drops, dict[int, str], dict[str, int]]:
    records, digests, drops, copies, failed = list[DocumentRecord](), bytearray(), Drops(), dict[int, str](), dict[str, int]()
    first = dict[bytes, int]()  # digest of the text → number of its record
    ids = set[str]()
    for document, examined in examiner.examined(documents):
        digests += document_digest(document)
        index = drops.add()
        if document.consent.strip().casefold() in WITHHELD:
            location = f"{where}: {quotable_name(document.id)}".removeprefix(": ")
            raise BadInput("consent is withheld", where=location, remedy="remove this document, or correct its column consent")
        if examined is None:
            drops.drop(index, EMPTY)
            continue
        if examined.failure:
            reason, value, language = examined.failure
            if settings.quality.action == "drop":
                drops.drop(index, reason, value=value, language=language)
                continue
            failed[reason] = failed.get(reason, 0) + 1
        text_digest = bytes.fromhex(examined.sha256[: 2 * DIGEST_BYTES])
        if (number := first.setdefault(text_digest, len(records))) < len(records):
            drops.drop(index, EXACT, of=(records[number].index, records[number].id))
            if len(copies) < MOST_COPIES:
                copies[index] = document.id
            continue
        if document.id in ids:
            location = f"{where}: {quotable_name(document.id)}".removeprefix(": ")
            raise BadInput("two documents with different texts have this id", where=location, remedy="give each document a unique id")
        ids.add(document.id)
        records.append(
            DocumentRecord(
                index, document.group or document.id, document.group or examined.sha256, examined.size, document.source, document.date,
                unit_hash(seed, examined.sha256), document.id,
            )
        )  # fmt: skip
        if settings.near_duplicates != "keep":
            examiner.choose()
    return records, bytes(digests), drops, copies, failed


def _near_duplicates(records: Sequence[DocumentRecord], examiner: Examination, deletions: int) -> tuple[list[NearDuplicate], int]:
    """Find near-duplicates. The longest document is preferred, then the one with the smallest hash of seed and text.

    Args:
        deletions: number of chosen documents before the records, which were deleted on request. They are preferred to all others,
            and have negative positions in the result.
    """
    sizes = np.frombuffer(array("q", (record.size for record in records)), np.int64)
    ranks = np.frombuffer(array("d", (record.rank for record in records)), np.float64)
    found, uncertain = examiner.near_duplicates(np.concatenate([np.arange(deletions), np.lexsort((ranks, -sizes)) + deletions]), deletions)
    pairs = (NearDuplicate(pair.position - deletions, pair.kept - deletions, pair.similarity) for pair in found)
    return sorted((pair for pair in pairs if pair.position >= 0), key=lambda pair: pair.position), uncertain


def document_digest(document: Document) -> bytes:
    """Return a digest of all fields of a document, 16 bytes."""
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for name in FIELDS:
        data = getattr(document, name).encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()
