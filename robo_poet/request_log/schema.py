"""Columns of the log's files."""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

MISFITS = (pa.ArrowException, TypeError, ValueError, OverflowError, OSError, KeyError, AttributeError)
TIME = pa.timestamp("us", tz="UTC")

# `prompt` and `completions` are null where there was no time to scrub them, `prompt_perplexity` where none was asked for.
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
# What reading adds to a request: the mean of its readers' last ratings, and how many last thumbs went up and down.
JOINED = pa.schema([*REQUESTS, ("rating", pa.float64()), ("thumbs_up", pa.int32()), ("thumbs_down", pa.int32())])


def table(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows as JSON had them, `time` in seconds since 1970; a missing field is null.

    Raises:
        one of MISFITS: a value does not fit its column.
    """
    return pa.Table.from_pylist([_row(row) for row in rows], schema=schema)


def fitting(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """The rows that fit; of a spool that another release wrote, some may not, and must not stand in the others' way."""
    rows = list(rows)
    try:
        return table(rows, schema)
    except MISFITS:
        return table([row for row in rows if fits(row, schema)], schema)


def fits(row: Mapping[str, Any], schema: pa.Schema) -> bool:
    """Whether a row can be written."""
    try:
        table([row], schema)
    except MISFITS:
        return False
    return True


def conform(part: pa.Table, schema: pa.Schema) -> pa.Table:
    """Columns of `schema`, in its order: one that an older writer did not know is null, one that it knew alone is left out."""
    columns = [
        part.column(column.name).cast(column.type) if column.name in part.column_names else pa.nulls(part.num_rows, column.type)
        for column in schema
    ]
    return pa.table(columns, schema=schema)


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    out = dict(row)
    if not math.isfinite(row["time"]):
        raise ValueError("time is not finite")
    out["time"] = datetime.fromtimestamp(row["time"], UTC)
    if "parameters" in row:
        out["parameters"] = list(row["parameters"].items())
    return out
