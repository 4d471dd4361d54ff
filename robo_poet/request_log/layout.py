"""File layout of a request log.

    <folder>/date=2026-03-01/part-<writer>-<n>.parquet              requests; a Hive-partitioned dataset for any reader
    <folder>/date=2026-03-01/_spool-<writer>-<n>.jsonl              records that are not Parquet yet; dataset readers skip `_`
    <folder>/_feedback/date=2026-03-01/…                            the same for feedback

A unit is a pair (writer, n). It is first a spool, and later the part that replaces the spool. If both exist, only the part is read.
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
    """A kind of record (request or feedback): its subfolder and its schema."""

    below: str
    schema: pa.Schema


FEEDBACK_FOLDER = "_feedback"
KINDS = {"request": Kind("", REQUESTS), "feedback": Kind(FEEDBACK_FOLDER, FEEDBACK)}


class Unit(NamedTuple):
    """A unit: records of one day by one writer, as a spool or as a part."""

    folder: Path
    name: str

    @property
    def spool(self) -> Path:
        return self.folder / f"_spool-{self.name}.jsonl"

    @property
    def part(self) -> Path:
        return self.folder / f"part-{self.name}.parquet"


def check_log(folder: Path) -> None:
    """Check that a folder is a request log. Otherwise a wrong folder would look like an empty log.

    Raises:
        BadInput: the folder does not exist, or contains only other files. An empty folder is accepted.
    """
    if not folder.is_dir():
        raise BadInput("no such folder", where=str(folder), remedy="a gateway makes `requests` in its own folder with the first request")
    names = [path.name for path in folder.iterdir()]
    if names and not any(DAY.fullmatch(name) or name == FEEDBACK_FOLDER for name in names):
        raise BadInput("no request log: it has no folder of a day", where=str(folder), remedy="it is `requests` in the gateway's folder")


def day_folder(folder: Path, kind: Kind, time: float) -> Path:
    """Return the folder of the UTC day of `time`, in seconds since 1970."""
    return folder / kind.below / f"date={datetime.fromtimestamp(time, UTC):%Y-%m-%d}"


def days(folder: Path, kind: Kind) -> Iterator[tuple[date, Path]]:
    """Yield the days that have a folder, with the folder, in order."""
    root = folder / kind.below
    for path in sorted(root.glob("date=*")) if root.is_dir() else ():
        if match := DAY.fullmatch(path.name):
            yield date.fromisoformat(match[1]), path


def units(day: Path) -> list[Unit]:
    """Return the units of a day, sorted by name. A missing folder has none."""
    try:
        names = [path.name for path in day.iterdir()]
    except FileNotFoundError:
        return []
    matches = filter(None, map(UNIT.fullmatch, names))
    return [Unit(day, name) for name in sorted({match[1] or match[2] for match in matches})]
