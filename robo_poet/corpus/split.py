"""Which work goes to which split (DATA-6). A work is never divided. Knows nothing of text, only of names and dates.

By hash: a work's place u in [0, 1) comes from (seed, work) alone, so other works that are added or removed never move it.
One exception: where a corpus is so small that a split would be empty, the works with the smallest u are moved into the
empty splits, and move back to their own place once there are enough works.
"""

import re
from collections.abc import Iterable, Mapping

from robo_poet.corpus.schema import SPLITS
from robo_poet.digest import digest_bytes
from robo_poet.errors import BadInput

ISO_DATE = re.compile(r"\d{4}(-\d\d(-\d\d([T ].*)?)?)?")


def unit_hash(seed: int, name: str) -> float:
    """A number in [0, 1) that depends on nothing but (seed, name): 53 bits of SHA-256."""
    return (int(digest_bytes(f"{seed}\0{name}".encode())[:16], 16) >> 11) / 2**53


def split_by_hash(groups: Iterable[str], seed: int, train: float, validation: float) -> tuple[dict[str, str], list[str]]:
    """Give each group its split.

    Args:
        train, validation: shares in (0, 1); the rest is test.

    Returns:
        group → split, and the groups that were moved to fill a split that would be empty (tell the user).

    Raises:
        BadInput: fewer than three groups, or shares that leave nothing for test.
    """
    place = {group: unit_hash(seed, group) for group in groups}
    _check(len(place), train, validation)
    splits = {group: SPLITS[(u >= train) + (u >= train + validation)] for group, u in place.items()}
    moved = []
    for empty in SPLITS:
        if empty not in splits.values():
            held = list(splits.values())
            group = min((g for g in place if held.count(splits[g]) > 1), key=lambda g: (place[g], g))
            splits[group] = empty
            moved.append(group)
    return splits, moved


def split_by_date(dates: Mapping[str, str], seed: int, train: float, validation: float) -> dict[str, str]:
    """Give the oldest groups to train and the newest to test.

    Args:
        dates: group → ISO date (year, year-month or day; the latest of its documents, so that nothing in train is newer than test).
        seed: decides between groups of the same date.

    Raises:
        BadInput: a group without an ISO date, fewer than three groups, or shares that leave nothing for test.
    """
    _check(len(dates), train, validation)
    for group, date in dates.items():
        if not ISO_DATE.fullmatch(date):
            what = f"date {date!r} is not an ISO date" if date else "has no date"
            raise BadInput(what, where=group, remedy="date every document (YYYY-MM-DD) or set ingest.split_by to hash")
    order = sorted(dates, key=lambda group: (dates[group], unit_hash(seed, group), group))
    count = len(order)
    first = min(max(round(count * train), 1), count - 2)
    second = min(max(round(count * (train + validation)), first + 1), count - 1)
    return {group: SPLITS[(i >= first) + (i >= second)] for i, group in enumerate(order)}


def _check(groups: int, train: float, validation: float) -> None:
    if train + validation >= 1:
        raise BadInput(f"split_train {train} + split_validation {validation} leaves nothing for test", remedy="let them sum to less than 1")
    if groups < len(SPLITS):
        raise BadInput(
            f"the corpus holds {groups} work{'s' * (groups != 1)}, and a split into {', '.join(SPLITS)} needs at least {len(SPLITS)}",
            remedy="add works: a text file each, or rows with different values in the group column",
        )
