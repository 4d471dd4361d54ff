"""The user's own tables: .jsonl, .csv or .parquet, a row a document, read as a stream."""

import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from components.ingest.text_file import lines
from components.ingest.user_text import SOURCE
from robo_poet.corpus.document import Document, normalise
from robo_poet.digest import digest_bytes
from robo_poet.errors import BadInput
from robo_poet.settings.ingest import Columns

ROWS = 256  # rows of a Parquet file in memory
Row = tuple[str, Mapping[str, Any]]  # where it stands, and its cells


def table_documents(file: Path, columns: Columns) -> Iterator[Document]:
    """A document for each row. Without an id column the id is the text's digest; without a group column each row is a work.

    Raises:
        BadInput: a missing column (names those that exist), a malformed row (names file and line), not UTF-8, not readable.
    """
    rows = READERS[file.suffix.lower()]
    for where, cells in rows(file, columns):
        if not isinstance(cells.get(columns.text) or "", str):
            raise BadInput(f"{columns.text!r} is {type(cells[columns.text]).__name__} and not text", where=where)
        text = cells.get(columns.text) or ""
        encoded = _encodable(normalise(text), where)
        given = {name: _string(cells.get(getattr(columns, name))) for name in Columns.model_fields if name != "text"}
        name = given.pop("id") or digest_bytes(encoded)[:16]
        yield Document(id=name, text=text, source=SOURCE, **(given | {"group": given["group"] or name}))


def _encodable(text: str, where: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:  # JSON can spell half of a surrogate pair
        raise BadInput(f"half of a character (\\u{ord(text[error.start]):04x})", where=where, remedy="write the text as UTF-8") from None


def _string(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)


def _check_columns(file: str, present: list[str], columns: Columns) -> None:
    """The text column must be there, and so must every other that the profile names by hand."""
    for name in Columns.model_fields:
        column = getattr(columns, name)
        if column not in present and (name == "text" or column != Columns.model_fields[name].default):
            there = ", ".join(present) or "none"
            raise BadInput(f"no column {column!r}; it has: {there}", where=file, remedy=f"set ingest.columns.{name} to one of them")


def _jsonl(file: Path, columns: Columns) -> Iterator[Row]:
    for number, line in enumerate(lines(file), start=1):
        where = f"{file}:{number}"
        if not line.strip():
            continue
        try:
            cells = json.loads(line)
        except (ValueError, RecursionError) as error:
            what = error.msg.lower() if isinstance(error, json.JSONDecodeError) else "cannot be parsed"
            raise BadInput(f"not JSON: {what}", where=where, remedy="write one JSON object a line") from None
        if not isinstance(cells, dict):
            raise BadInput(f"a {type(cells).__name__} and not a JSON object", where=where, remedy="write one JSON object a line")
        if columns.text not in cells:
            _check_columns(where, list(cells), columns)
        yield where, cells


def _csv(file: Path, columns: Columns) -> Iterator[Row]:
    csv.field_size_limit(sys.maxsize)  # the module's own limit of 128 KiB is less than a play
    reader = csv.DictReader(lines(file), strict=True)
    try:
        _check_columns(str(file), list(reader.fieldnames or ()), columns)
        for cells in reader:
            where = f"{file}:{reader.line_num}"
            if None in cells:
                raise BadInput("the row has more cells than the header", where=where, remedy="quote cells that hold commas")
            yield where, cells
    except csv.Error as error:
        raise BadInput(
            f"malformed CSV: {error}", where=f"{file}:{reader.reader.line_num}", remedy="quote cells that hold quotes or line ends"
        ) from None


def _parquet(file: Path, columns: Columns) -> Iterator[Row]:
    number = 0
    try:
        with pq.ParquetFile(file) as table:
            present = table.schema_arrow.names
            _check_columns(str(file), present, columns)
            wanted = [column for column in dict.fromkeys(columns.model_dump().values()) if column in present]
            for batch in table.iter_batches(batch_size=ROWS, columns=wanted):
                for cells in batch.to_pylist():
                    number += 1
                    yield f"{file}: row {number}", cells
    except OSError as error:
        raise BadInput((error.strerror or str(error)).lower(), where=str(file), remedy="make it readable") from None
    except pa.ArrowException as error:
        raise BadInput(f"not a Parquet file: {str(error)[:200]}", where=str(file), remedy="write it again") from None


READERS: dict[str, Callable[[Path, Columns], Iterator[Row]]] = {".jsonl": _jsonl, ".csv": _csv, ".parquet": _parquet}
