"""Storage format of a request log: Arrow schemas, conversion of JSON rows to tables, and the file layout.

    <folder>/date=2026-03-01/part-<writer>-<n>.parquet              requests; a Hive-partitioned dataset for any reader
    <folder>/date=2026-03-01/_spool-<writer>-<n>.jsonl              records that are not Parquet yet; dataset readers skip `_`
    <folder>/_feedback/date=2026-03-01/…                            the same for feedback

A unit is a pair (writer, n). It is first a spool, and later the part that replaces the spool. If both exist, only the part is read.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from robo_poet.errors import BadInput

CONVERSION_ERRORS = (pa.ArrowException, TypeError, ValueError, OverflowError, OSError, KeyError, AttributeError)
TIME = pa.timestamp("us", tz="UTC")

# `prompt` and `completions` are null if there was no time to scrub them. `prompt_perplexity` is null if the prompt was not scored.
REQUESTS = pa.schema(
    [
        ("completion_id", pa.string()),
        ("request_id", pa.string()),
        ("time", TIME),
        ("user", pa.string()),
        ("model", pa.string()),
        ("version", pa.int32()),
        ("digest", pa.string()),
        ("arm", pa.string()),
        ("prompt", pa.string()),
        ("completions", pa.list_(pa.string())),
        ("parameters", pa.map_(pa.string(), pa.float64())),
        ("seconds", pa.float64()),
        ("generation_seconds", pa.float64()),
        ("prompt_tokens", pa.int32()),
        ("tokens", pa.list_(pa.int32())),
        ("prompt_perplexity", pa.float64()),
        ("prompt_scored_tokens", pa.int32()),
        ("completion_perplexities", pa.list_(pa.float64())),
        ("finish_reasons", pa.list_(pa.string())),
        ("status", pa.int16()),
        ("code", pa.string()),
        ("filter_rule", pa.string()),
        ("filter_side", pa.string()),
        ("client", pa.string()),
        ("consent", pa.string()),
    ]
)
FEEDBACK = pa.schema([("completion_id", pa.string()), ("time", TIME), ("user", pa.string()), ("rating", pa.int8()), ("thumb", pa.string())])
# `read` adds to a request: the mean of the last ratings of its users, and the numbers of last thumbs up and down.
JOINED = pa.schema([*REQUESTS, ("rating", pa.float64()), ("thumbs_up", pa.int32()), ("thumbs_down", pa.int32())])


def table(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Convert JSON rows to a table. `time` is in seconds since 1970. A missing field becomes null.

    Raises:
        one of CONVERSION_ERRORS: a value does not fit its column.
    """
    return pa.Table.from_pylist([_row(row) for row in rows], schema=schema)


def table_of_fitting_rows(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Convert JSON rows to a table and skip the rows that do not fit. A spool of another release may contain such rows."""
    rows = list(rows)
    try:
        return table(rows, schema)
    except CONVERSION_ERRORS:
        return table([row for row in rows if fits(row, schema)], schema)


def fits(row: Mapping[str, Any], schema: pa.Schema) -> bool:
    """Return True if all values of a row fit the schema."""
    try:
        table([row], schema)
    except CONVERSION_ERRORS:
        return False
    return True


def conform(part: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return the columns of `schema`, in its order. Columns that an older writer did not write are null; other columns are dropped."""
    columns = [
        part.column(column.name).cast(column.type) if column.name in part.column_names else pa.nulls(part.num_rows, column.type)
        for column in schema
    ]
    return pa.table(columns, schema=schema)


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    converted = dict(row)
    if not math.isfinite(row["time"]):
        raise ValueError("time is not finite")
    converted["time"] = datetime.fromtimestamp(row["time"], UTC)
    if "parameters" in row:
        converted["parameters"] = list(row["parameters"].items())
    return converted


UNIT = re.compile(r"(?:part-([0-9a-z]+-\d+)\.parquet|_spool-([0-9a-z]+-\d+)\.jsonl)")
DAY = re.compile(r"date=(\d{4}-\d{2}-\d{2})")


class Kind(NamedTuple):
    """A kind of record (request or feedback): its subfolder and its schema."""

    subfolder: str
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
        raise BadInput("no such folder", where=str(folder), remedy="give the folder `requests` in the gateway's folder (serve.folder)")
    names = [path.name for path in folder.iterdir()]
    if names and not any(DAY.fullmatch(name) or name == FEEDBACK_FOLDER for name in names):
        raise BadInput(
            "not a request log: it has no folder of a day (date=…)",
            where=str(folder),
            remedy="give the folder `requests` in the gateway's folder (serve.folder)",
        )


def day_folder(folder: Path, kind: Kind, time: float) -> Path:
    """Return the folder of the UTC day of `time`, in seconds since 1970."""
    return folder / kind.subfolder / f"date={datetime.fromtimestamp(time, UTC):%Y-%m-%d}"


def days(folder: Path, kind: Kind) -> Iterator[tuple[date, Path]]:
    """Yield the days that have a folder, with the folder, in order."""
    root = folder / kind.subfolder
    for path in sorted(root.glob("date=*")) if root.is_dir() else ():
        if match := DAY.fullmatch(path.name):
            yield date.fromisoformat(match[1]), path


def units(day: Path) -> list[Unit]:
    """Return the units of a day, sorted by name. If the folder does not exist, there are none."""
    try:
        names = [path.name for path in day.iterdir()]
    except FileNotFoundError:
        return []
    matches = filter(None, map(UNIT.fullmatch, names))
    return [Unit(day, name) for name in sorted({match[1] or match[2] for match in matches})]
