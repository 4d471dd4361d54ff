"""Assignment of works to splits (DATA-6). A work is never divided. The split depends on names, keys and dates, never on the text.

By hash: the position u in [0, 1) of a work depends only on (seed, key). So adding or removing other works never moves it. The key is the
name that the owner gave the work. If the work only has a number, the key is a digest of its content (never stored).
Exception: if the corpus is so small that a split would be empty, the works with the smallest u fill the empty splits. They return to their
own split once there are enough works.

By date: the oldest works train, the newest test. DATA-6 asks for this order and for stable splits when data is added. A dated source
cannot have both, so the order has priority:
- New works that are newer than all others may move the newest documents out of test, to validation or train, never the other way. So
  training data never becomes test data.
- Older works (a backfill) shift the boundaries, and a document of train can become test data. To backfill and compare with older
  models, set `ingest.split_by` to hash.
"""

import datetime
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from robo_poet.corpus.parquet import SPLITS
from robo_poet.display import quotable_name
from robo_poet.errors import BadInput

SplitBy = Literal["auto", "hash", "date"]
ISO_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}([T ][0-9]{2}(:?[0-9]{2}){0,2}([.,][0-9]+)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?)?)?")
LIKE_A_DATE = re.compile(r"[0-9][0-9 ./:TZ+-]{0,31}")  # an error quotes only such values, because the date column may contain text


@dataclass(frozen=True, slots=True)
class Work:
    """The properties of a work that determine its split."""

    key: str  # hashed, with the seed
    source: str = ""
    date: str = ""  # latest date of its documents, so that train is never newer than test; no ISO date if any document has no ISO date


def unit_hash(seed: int, name: str) -> float:
    """Return a number in [0, 1) that depends only on (seed, name): 53 bits of SHA-256."""
    return (int.from_bytes(hashlib.sha256(f"{seed}\0{name}".encode()).digest()[:8], "big") >> 11) / 2**53


def is_iso_date(text: str) -> bool:
    """Return True if a text is a year, month, day or time of ISO 8601 with hyphens, and exists in the calendar."""
    if not ISO_DATE.fullmatch(text):
        return False
    try:
        datetime.date.fromisoformat(text[:10] + "-01" * ((10 - len(text[:10])) // 3))
    except ValueError:
        return False
    return True


def split_works(
    works: Mapping[str, Work], seed: int, train: float, validation: float, by: SplitBy = "auto", where: str = ""
) -> tuple[dict[str, str], list[str]]:
    """Assign a split to each work.

    Args:
        works: name → work.
        train, validation: shares in (0, 1); the rest is test.
        by: `auto` splits a source by date if all its works are dated, and otherwise by hash; `hash` and `date` apply to all works.
        where: the corpus, for error messages.

    Returns:
        name → split, and the names of the works that were moved into a split that would be empty (report them to the user).

    Raises:
        BadInput: there are fewer than three works, the shares leave nothing for test, or `by` is `date` and a work has no ISO date.
    """
    if train + validation >= 1:
        what = f"split_train {train} + split_validation {validation} leaves nothing for test"
        raise BadInput(what, where="ingest.split_train", remedy="reduce one of them: their sum must be below 1")
    if len(works) < len(SPLITS):
        held = f"{len(works)} work{'s' * (len(works) != 1)}"
        raise BadInput(
            f"the corpus has {held}, but a split into {', '.join(SPLITS)} needs at least {len(SPLITS)}",
            where=where,
            remedy="add works: text files, or rows with other values in the group column",
        )
    if by == "date":
        _check_dates(works, where)
        return split_by_date(works, seed, train, validation), []
    splits: dict[str, str] = {}
    for source in sorted({work.source for work in works.values()} if by == "auto" else ()):
        source_works = {name: work for name, work in works.items() if work.source == source}
        if len(source_works) >= len(SPLITS) and all(is_iso_date(work.date) for work in source_works.values()):
            splits |= split_by_date(source_works, seed, train, validation)
    hashed, moved = split_by_hash({name: work for name, work in works.items() if name not in splits}, seed, train, validation)
    return splits | hashed, moved


def split_by_hash(works: Mapping[str, Work], seed: int, train: float, validation: float) -> tuple[dict[str, str], list[str]]:
    """Split by (seed, key) only. With three or more works, no split is empty. Returns the same as `split_works`."""
    positions = {name: unit_hash(seed, work.key) for name, work in works.items()}
    splits = {name: SPLITS[(u >= train) + (u >= train + validation)] for name, u in positions.items()}
    moved = []
    for empty in SPLITS if len(works) >= len(SPLITS) else ():
        if empty not in splits.values():
            held = list(splits.values())
            name = min((n for n in positions if held.count(splits[n]) > 1), key=lambda n: (positions[n], works[n].key))
            splits[name] = empty
            moved.append(name)
    return splits, moved


def split_by_date(works: Mapping[str, Work], seed: int, train: float, validation: float) -> dict[str, str]:
    """Assign the oldest works to train and the newest to test. At least three works are needed.

    Works of the same date are ordered by (seed, key).
    """
    order = sorted(works, key=lambda n: (works[n].date.replace(" ", "T"), unit_hash(seed, works[n].key), works[n].key))
    count = len(order)
    first = min(max(round(count * train), 1), count - 2)
    second = min(max(round(count * (train + validation)), first + 1), count - 1)
    return {name: SPLITS[(i >= first) + (i >= second)] for i, name in enumerate(order)}


def _check_dates(works: Mapping[str, Work], where: str) -> None:
    for name, work in works.items():
        if not is_iso_date(work.date):
            quoted = f"date {work.date!r}" if LIKE_A_DATE.fullmatch(work.date) else "its date"
            raise BadInput(
                f"{quoted} is not an ISO date" if work.date else "has no date",
                where=": ".join(filter(None, (where, quotable_name(name)))),
                remedy="give every document a date (YYYY-MM-DD), or set ingest.split_by to auto",
            )
