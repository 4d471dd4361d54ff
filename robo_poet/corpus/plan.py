"""The plan of a corpus: which documents of a source it keeps, and the split of each.

A first reading of the source makes the plan. The plan contains numbers, names and digests, but no text. A second reading applies it.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from robo_poet.corpus.document import FIELDS, MEGABYTE, Document
from robo_poet.corpus.parquet import SPLITS
from robo_poet.corpus.split import Work, is_iso_date, split_works, unit_hash
from robo_poet.display import quotable_name
from robo_poet.errors import BadInput
from robo_poet.settings.data import IngestSettings

# values of the column consent that say no; other values are not interpreted
WITHHELD = frozenset("no n false 0 withheld refused denied declined revoked withdrawn opt-out nein non".split())
LANGUAGE_CHARACTERS = 2_000  # enough to identify 97 languages; takes 0.2 ms per document


def language_of(text: str) -> str:
    """Return the ISO 639-1 code of the likeliest language, from the first 2,000 characters."""
    import py3langid  # loads its model in 0.6 s, so import it only if a document needs it

    return str(py3langid.classify(text[:LANGUAGE_CHARACTERS])[0])


@dataclass(slots=True)
class DocumentRecord:
    """A record of one document from the first reading, without its text. Empty and duplicate documents have no record."""

    index: int  # in reading order, from 0
    group: str  # name of its work
    split_key: str  # of its work
    size: int  # bytes of UTF-8
    source: str
    date: str
    rank: float  # in [0, 1), from the seed and the text; a sample takes documents in rising rank


def draw_sample(records: Iterable[DocumentRecord], megabytes: float) -> list[DocumentRecord]:
    """Return the documents of smallest rank that fit into `megabytes` (10**6 bytes), in reading order.

    The sample takes one document of each work first, then further documents. If the smallest documents of all works fit together, every
    work is kept. Otherwise only the works that fit are kept; this happens if each document is a separate work, as in `sotu`.
    """
    ranked = sorted(records, key=lambda record: record.rank)
    bytes_left = round(megabytes * MEGABYTE)
    smallest: dict[str, int] = {}
    for record in ranked:
        smallest[record.group] = min(record.size, smallest.get(record.group, record.size))
    reserved = smallest if sum(smallest.values()) <= bytes_left else {}
    bytes_left -= sum(reserved.values())
    kept: dict[int, DocumentRecord] = {}
    kept_works = set[str]()
    for record in ranked:
        extra_bytes = record.size - reserved.get(record.group, 0)
        if record.group not in kept_works and extra_bytes <= bytes_left:
            kept_works.add(record.group)
            kept[record.index] = record
            bytes_left -= extra_bytes
    for record in ranked:
        if record.index not in kept and record.size <= bytes_left:
            kept[record.index] = record
            bytes_left -= record.size
    return [kept[index] for index in sorted(kept)]


DIGEST_BYTES = 16  # bytes per document in `Plan.digests`


@dataclass
class Plan:
    """The plan of a corpus.

    Args:
        where: the source, for error messages.
        keep: for each document in reading order, whether the corpus keeps it.
        digests: the digests of all documents in reading order, 16 bytes each.
        splits: work → split.
        warnings: messages for the user.
    """

    where: str
    keep: list[bool]
    digests: bytes
    splits: dict[str, str]
    warnings: list[str]


def make_plan(documents: Iterable[Document], settings: IngestSettings, seed: int, where: str = "", megabytes: float = 0) -> Plan:
    """Drop empty documents and exact duplicates, draw a sample if `megabytes` is set, and assign a split to each work.

    A document without a group is a separate work. Its id is its name, but a digest of its content is its split key:
    - The id may be a row number. Rows that are inserted before it must not change the split.
    - The digest is not stored as an id, because a short text can be guessed from its digest.

    Args:
        where: the source, for error messages.
        megabytes: size of the sample in 10**6 bytes; 0 keeps all documents.

    Raises:
        BadInput: there is no text, all documents are equal, two documents share an id, a document's consent is withheld, there are
            fewer than three works, or the sample leaves fewer than three.
    """
    records, digests, empty, copies = read_records(documents, seed, where)
    total = len(digests) // DIGEST_BYTES
    warnings = []
    if empty:
        warnings.append(f"{empty} of {total} documents have no text and were dropped")
    if (duplicates := total - empty - len(records)) > 0:
        if len(records) == 1:
            raise BadInput(f"all {duplicates + 1} documents have the same text", where=where, remedy="give at least three different works")
        more = f" and {duplicates - len(copies):,} more" if duplicates > len(copies) else ""
        named = ", ".join(f"{_name(copy)} (of {_name(original)})" for copy, original in copies)
        warnings.append(f"{duplicates} of {total} documents are exact duplicates of another document and were dropped: {named}{more}")
    if not records:
        raise BadInput("the corpus contains no text", where=where, remedy="give at least three works")
    kept_records = draw_sample(records, megabytes) if megabytes else records
    if len(kept_records) < len(records):
        setting = f"ingest.bundled_megabytes = {megabytes:g}"
        kept_works, all_works = len({record.group for record in kept_records}), len({record.group for record in records})
        if kept_works < len(SPLITS) <= all_works:
            problem = f"{setting} leaves {kept_works} of {all_works} works, and a split needs {len(SPLITS)}"
            raise BadInput(problem, where=where, remedy="raise it, or set it to 0 to use all documents")
        lost_works = f" and {kept_works} of {all_works} works" if kept_works < all_works else ""
        warnings.append(f"a sample of {len(kept_records)} of {len(records)} documents{lost_works} is used ({setting})")
    works = works_of(kept_records)
    splits, moved = split_works(works, seed, settings.split_train, settings.split_validation, settings.split_by, where)
    if settings.split_by == "auto":
        warnings += _partly_dated_warnings(works)
    warnings += [f"split {splits[name]} would be empty: {quotable_name(name, 'a work')} was moved to it; give more works" for name in moved]
    keep = [False] * total
    for record in kept_records:
        keep[record.index] = True
    return Plan(where, keep, digests, splits, warnings)


def apply_plan(plan: Plan, documents: Iterable[Document]) -> Iterator[Document]:
    """Read the source a second time and yield the documents that the plan keeps, normalised, with their group and split.

    Raises:
        BadInput: a document, or the number of documents, differs from the first reading.
    """
    changed = BadInput(
        "the source changed while it was read", where=plan.where, remedy="submit the run again when the source no longer changes"
    )
    count = 0
    for index, document in enumerate(documents):
        count += 1
        if _digest(document) != plan.digests[index * DIGEST_BYTES : count * DIGEST_BYTES]:
            raise changed
        if plan.keep[index]:
            group = document.group or document.id
            yield replace(document.with_text(document.text), group=group, split=plan.splits[group])
    if count != len(plan.keep):
        raise changed


def _name(identifier: str) -> str:
    return quotable_name(identifier, "a document with a long id")


MOST_COPIES = 5  # exact duplicates that a warning names


def read_records(documents: Iterable[Document], seed: int, where: str) -> tuple[list[DocumentRecord], bytes, int, list[tuple[str, str]]]:
    """Return the records of non-empty, distinct documents, the digests of all documents, and the number of empty ones.

    The last value has the ids of the first five exact duplicates, each with the id of the document that is kept.

    Args:
        where: the source, for error messages.

    Raises:
        BadInput: two documents with different texts share an id, or a document's consent is withheld.
    """
    records, digests, first_ids, ids, empty = list[DocumentRecord](), bytearray(), dict[str, str](), set[str](), 0
    copies: list[tuple[str, str]] = []
    for index, document in enumerate(documents):
        digests += _digest(document)
        if document.consent.strip().casefold() in WITHHELD:
            location = f"{where}: {quotable_name(document.id)}".removeprefix(": ")
            raise BadInput("consent is withheld", where=location, remedy="remove this document, or correct its column consent")
        if not document.text.strip():
            empty += 1
            continue
        normalised = document.with_text(document.text)
        if normalised.sha256 in first_ids:
            if len(copies) < MOST_COPIES:
                copies.append((document.id, first_ids[normalised.sha256]))
            continue
        first_ids[normalised.sha256] = document.id
        if document.id in ids:
            location = f"{where}: {quotable_name(document.id)}".removeprefix(": ")
            raise BadInput("two documents with different texts have this id", where=location, remedy="give each document a unique id")
        ids.add(document.id)
        records.append(
            DocumentRecord(
                index, document.group or document.id, document.group or normalised.sha256, normalised.size, document.source, document.date,
                unit_hash(seed, normalised.sha256),
            )
        )  # fmt: skip
    return records, bytes(digests), empty, copies


def _digest(document: Document) -> bytes:
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for name in FIELDS:
        data = getattr(document, name).encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()


def works_of(records: Iterable[DocumentRecord]) -> dict[str, Work]:
    """Return the works by name.

    The date of a work is the latest date of its documents. If a document has no ISO date, the work has no ISO date either.
    """
    works: dict[str, Work] = {}
    for record in records:
        work = works.setdefault(record.group, Work(record.split_key, record.source, record.date))
        if record.date != work.date:
            latest = max(work.date, record.date, key=lambda date: (not is_iso_date(date), date))
            works[record.group] = replace(work, date=latest)
    return works


def _partly_dated_warnings(works: dict[str, Work]) -> Iterator[str]:
    """Yield a warning for each source that is only partly dated. The source is split by hash, but the user may expect a split by date."""
    total, dated = Counter[str](), Counter[str]()
    for work in works.values():
        total[work.source] += 1
        dated[work.source] += is_iso_date(work.date)
    for source, count in sorted(dated.items()):
        if 0 < count < total[source]:
            undated = total[source] - count
            yield f"source {source}: {undated} of {total[source]} works have no ISO date, so this source is split by hash, not by date"
