"""What of a source goes into the corpus, and into which split: decided in a first reading that keeps numbers and names but no text."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from robo_poet.corpus.document import MEGABYTE, Document
from robo_poet.corpus.split import split_by_date, split_by_hash, unit_hash
from robo_poet.errors import BadInput
from robo_poet.settings.ingest import IngestSettings

CHANGED = "the source changed while it was read"


@dataclass
class Plan:
    """The decision: `keep` by a document's place in the reading order, `splits` by its work."""

    keep: list[bool]
    splits: dict[str, str]
    warnings: list[str]


@dataclass
class _Seen:
    """What the first reading remembers of a document that is neither empty nor a repetition."""

    place: int
    group: str
    size: int
    date: str
    rank: float  # in [0, 1), of the seed and the text: the order in which a sample takes documents
    first_of_group: bool = field(default=False)


def make_plan(documents: Iterable[Document], settings: IngestSettings, seed: int) -> Plan:
    """Drop empty rows and exact duplicates, sample if the settings say so, and give each work its split.

    Raises:
        BadInput: nothing there, all documents alike, an id that stands twice, or too few works.
    """
    seen, total, empty = _survey(documents, seed)
    warnings = []
    if empty:
        warnings.append(f"{empty} of {total} documents have no text and were dropped")
    if (repeated := total - empty - len(seen)) > 0:
        if len(seen) == 1:
            raise BadInput(f"all {repeated + 1} documents have the same text", remedy="give at least three different works")
        warnings.append(f"{repeated} of {total} documents repeat another's text exactly and were dropped")
    if not seen:
        raise BadInput("the corpus holds no text", remedy="give at least three works")
    kept = _sample(seen, settings.max_megabytes) if settings.max_megabytes else seen
    if len(kept) < len(seen):
        warnings.append(
            f"a sample of {len(kept)} of {len(seen)} documents was kept, as ingest.max_megabytes = {settings.max_megabytes:g} asks"
        )
    dates: dict[str, str] = {}
    for one in kept:
        dates[one.group] = max(dates.get(one.group, ""), one.date)
    if settings.split_by == "date":
        splits = split_by_date(dates, seed, settings.split_train, settings.split_validation)
    else:
        splits, moved = split_by_hash(dates, seed, settings.split_train, settings.split_validation)
        warnings += [f"so few works that {splits[group]} would be empty: {group} was moved there" for group in moved]
    keep = [False] * total
    for one in kept:
        keep[one.place] = True
    return Plan(keep, splits, warnings)


def follow(plan: Plan, documents: Iterable[Document]) -> Iterator[Document]:
    """The second reading: yield the documents that the plan keeps, normalised and with their split.

    Raises:
        BadInput: the second reading finds other documents than the first.
    """
    places = iter(plan.keep)
    for document in documents:
        keep = next(places, None)
        if keep is None or (keep and document.group not in plan.splits):
            raise BadInput(CHANGED, where=document.id, remedy="run again")
        if keep:
            yield replace(document.with_text(document.text), split=plan.splits[document.group])
    if next(places, None) is not None:
        raise BadInput(CHANGED, remedy="run again")


def _survey(documents: Iterable[Document], seed: int) -> tuple[list[_Seen], int, int]:
    seen, texts, ids, total, empty = list[_Seen](), set[str](), set[str](), 0, 0
    for place, document in enumerate(documents):
        total += 1
        if not document.text.strip():
            empty += 1
            continue
        whole = document.with_text(document.text)
        if whole.sha256 in texts:
            continue
        texts.add(whole.sha256)
        if document.id in ids:
            raise BadInput("two documents with different texts have this id", where=document.id, remedy="give each document its own id")
        ids.add(document.id)
        seen.append(_Seen(place, document.group, whole.size, document.date, unit_hash(seed, whole.sha256)))
    return seen, total, empty


def _sample(seen: list[_Seen], megabytes: float) -> list[_Seen]:
    """The documents of smallest rank up to a size, but first one of each work; in reading order."""
    groups: set[str] = set()
    for one in sorted(seen, key=lambda one: one.rank):
        one.first_of_group = one.group not in groups
        groups.add(one.group)
    left = megabytes * MEGABYTE
    kept = []
    for one in sorted(seen, key=lambda one: (not one.first_of_group, one.rank)):
        left -= one.size
        if left < 0:
            break
        kept.append(one)
    return sorted(kept, key=lambda one: one.place)
