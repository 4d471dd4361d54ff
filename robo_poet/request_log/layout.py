"""Where things lie in a log's folder.

    <folder>/date=2026-03-01/part-<writer>-<n>.parquet              requests; a Hive-partitioned dataset for any reader
    <folder>/date=2026-03-01/_spool-<writer>-<n>.jsonl              what is not Parquet yet; dataset readers pass over `_`
    <folder>/_feedback/date=2026-03-01/…                            the same of feedback

A unit is a pair (writer, n): a spool first, then the part that takes its place. Where both are there, the part counts.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from robo_poet.errors import BadInput
from robo_poet.request_log.schema import FEEDBACK, REQUESTS

UNIT = re.compile(r"(?:part-([0-9a-z]+-\d+)\.parquet|_spool-([0-9a-z]+-\d+)\.jsonl)")
DAY = re.compile(r"date=(\d{4}-\d{2}-\d{2})")


class Kind(NamedTuple):
    """One of the two sorts of records: its folder below the log's, and its columns."""

    below: str
    schema: pa.Schema


FEEDBACK_FOLDER = "_feedback"
KINDS = {"request": Kind("", REQUESTS), "feedback": Kind(FEEDBACK_FOLDER, FEEDBACK)}


class Unit(NamedTuple):
    """Some records of one day by one writer."""

    folder: Path
    name: str

    @property
    def spool(self) -> Path:
        return self.folder / f"_spool-{self.name}.jsonl"

    @property
    def part(self) -> Path:
        return self.folder / f"part-{self.name}.parquet"


def check_log(folder: Path) -> None:
    """Refuse a folder that is no log: nothing found in it would say that nothing was ever logged.

    Raises:
        BadInput: it is not there, or holds other things alone.
    """
    if not folder.is_dir():
        raise BadInput("no such folder", where=str(folder), remedy="a gateway makes `requests` in its own folder with the first request")
    names = [path.name for path in folder.iterdir()]
    if names and not any(DAY.fullmatch(name) or name == FEEDBACK_FOLDER for name in names):
        raise BadInput("no request log: it has no folder of a day", where=str(folder), remedy="it is `requests` in the gateway's folder")


def day_folder(folder: Path, kind: Kind, time: float) -> Path:
    """Of a record of `time`, seconds since 1970; days are UTC's."""
    return folder / kind.below / f"date={datetime.fromtimestamp(time, UTC):%Y-%m-%d}"


def days(folder: Path, kind: Kind) -> Iterator[tuple[date, Path]]:
    """Days that have a folder, in order."""
    root = folder / kind.below
    for path in sorted(root.glob("date=*")) if root.is_dir() else ():
        if found := DAY.fullmatch(path.name):
            yield date.fromisoformat(found[1]), path


def units(day: Path) -> list[Unit]:
    """Units of a day, in order; none of a folder that is gone."""
    try:
        names = [path.name for path in day.iterdir()]
    except FileNotFoundError:
        return []
    found = filter(None, map(UNIT.fullmatch, names))
    return [Unit(day, name) for name in sorted({one[1] or one[2] for one in found})]
