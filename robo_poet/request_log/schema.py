"""Arrow schemas of the log, and conversion of JSON rows to tables."""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

MISFITS = (pa.ArrowException, TypeError, ValueError, OverflowError, OSError, KeyError, AttributeError)
TIME = pa.timestamp("us", tz="UTC")

# `prompt` and `completions` are null if there was no time to scrub them. `prompt_perplexity` is null if the prompt was not scored.
REQUESTS = pa.schema(
    [
        ("completion_id", pa.string()),
        ("request_id", pa.string()),
        ("time", TIME),
        ("user", pa.string()),
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
    ]
)
FEEDBACK = pa.schema([("completion_id", pa.string()), ("time", TIME), ("user", pa.string()), ("rating", pa.int8()), ("thumb", pa.string())])
# `read` adds to a request: the mean of the last ratings of its users, and the numbers of last thumbs up and down.
JOINED = pa.schema([*REQUESTS, ("rating", pa.float64()), ("thumbs_up", pa.int32()), ("thumbs_down", pa.int32())])


def table(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Convert JSON rows to a table. `time` is in seconds since 1970. A missing field becomes null.

    Raises:
        one of MISFITS: a value does not fit its column.
    """
    return pa.Table.from_pylist([_row(row) for row in rows], schema=schema)


def fitting(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Convert JSON rows to a table and skip the rows that do not fit. A spool of another release may contain such rows."""
    rows = list(rows)
    try:
        return table(rows, schema)
    except MISFITS:
        return table([row for row in rows if fits(row, schema)], schema)


def fits(row: Mapping[str, Any], schema: pa.Schema) -> bool:
    """Return True if all values of a row fit the schema."""
    try:
        table([row], schema)
    except MISFITS:
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
