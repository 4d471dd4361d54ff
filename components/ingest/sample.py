"""A seeded sample of a corpus: which documents stay when it must not be larger than so many megabytes."""

from collections.abc import Iterable
from dataclasses import dataclass

from robo_poet.corpus.document import MEGABYTE


@dataclass(slots=True)
class Seen:
    """What the first reading remembers of a document that is neither empty nor a repetition."""

    place: int
    group: str  # the name of its work
    key: str  # what its work is split by
    size: int
    source: str
    date: str
    rank: float  # in [0, 1), of the seed and the text: the order in which a sample takes documents


def sample(seen: Iterable[Seen], megabytes: float) -> list[Seen]:
    """The documents of smallest rank that fit, in reading order: first one of each work, then more.

    Where the smallest document of every work fits, every work stays. Where it does not (each message of a president is a work of
    its own), as many works stay as fit.
    """
    ranked = sorted(seen, key=lambda one: one.rank)
    room = round(megabytes * MEGABYTE)
    smallest: dict[str, int] = {}
    for one in ranked:
        smallest[one.group] = min(one.size, smallest.get(one.group, one.size))
    reserved = smallest if sum(smallest.values()) <= room else {}
    room -= sum(reserved.values())
    kept: dict[int, Seen] = {}
    works = set[str]()
    for one in ranked:
        more = one.size - reserved.get(one.group, 0)
        if one.group not in works and more <= room:
            works.add(one.group)
            kept[one.place] = one
            room -= more
    for one in ranked:
        if one.place not in kept and one.size <= room:
            kept[one.place] = one
            room -= one.size
    return [kept[place] for place in sorted(kept)]
