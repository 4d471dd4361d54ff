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

from components.ingest.columns import check_columns
from components.ingest.text_file import lines
from components.ingest.user_text import SOURCE
from robo_poet.corpus.document import Document
from robo_poet.errors import BadInput
from robo_poet.settings.data import Columns

ROWS = 256  # rows of a Parquet file in memory
Row = tuple[str, Mapping[str, Any]]  # where it stands, and its cells


def table_documents(file: Path, columns: Columns) -> Iterator[Document]:
    """A document for each row. Without an id it is named by its number; without a group it is a work of its own.

    The number moves when a row is added above, so a row without id and group gets its split by its content. No digest of the content
    may be its name: names stay when the text is scrubbed, and a digest of a short text lets one guess the text.

    Raises:
        BadInput: a missing column, a malformed row (names file and line), not UTF-8, not readable. Quotes no text.
    """
    rows = READERS[file.suffix.lower()]
    for number, (where, cells) in enumerate(rows(file, columns), start=1):
        if not isinstance(cells.get(columns.text) or "", str):
            raise BadInput(f"{columns.text!r} is {type(cells[columns.text]).__name__} and not text", where=where)
        text = cells.get(columns.text) or ""
        given = {name: _string(cells.get(getattr(columns, name))) for name in Columns.model_fields} | {"text": text}
        for name, value in given.items():
            _check_encodable(value, f"{where}: {getattr(columns, name)!r}")
        group = given.pop("group") or given["id"]
        yield Document(**given | {"id": given["id"] or f"{file.name}#{number}"}, group=group, source=SOURCE)


def _check_encodable(value: str, where: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:  # JSON can spell half of a surrogate pair
        half = f"half of a character (\\u{ord(value[error.start]):04x})"
        raise BadInput(half, where=where, remedy="write the text as UTF-8") from None


def _string(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)


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
            check_columns(where, list(cells), columns)
        yield where, cells


def _csv(file: Path, columns: Columns) -> Iterator[Row]:
    csv.field_size_limit(sys.maxsize)  # the module's own limit of 128 KiB is less than a play
    reader = csv.DictReader(lines(file), strict=True)
    try:
        check_columns(str(file), list(reader.fieldnames or ()), columns, may_be_data=True)
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
            check_columns(str(file), present, columns)
            wanted = [column for column in dict.fromkeys(columns.model_dump().values()) if column in present]
            for batch in table.iter_batches(batch_size=ROWS, columns=wanted):
                for cells in _cells(batch, f"{file}: row {number + 1} or one of the {ROWS} after it"):
                    number += 1
                    yield f"{file}: row {number}", cells
    except OSError as error:
        raise BadInput((error.strerror or str(error)).lower(), where=str(file), remedy="make it readable") from None
    except pa.ArrowException:  # its message may quote a value
        raise BadInput("not a Parquet file, or a damaged one", where=str(file), remedy="write it again") from None


def _cells(batch: pa.RecordBatch, where: str) -> list[dict[str, Any]]:
    try:
        return batch.to_pylist()  # type: ignore[no-any-return]
    except pa.ArrowException:
        raise
    except UnicodeDecodeError as error:
        raise BadInput(f"not UTF-8 (byte 0x{error.object[error.start]:02x})", where=where, remedy="write the text as UTF-8") from None
    except (ValueError, OverflowError, LookupError):
        raise BadInput("a value that Python cannot hold, such as a date after 9999", where=where, remedy="write it as text") from None


READERS: dict[str, Callable[[Path, Columns], Iterator[Row]]] = {".jsonl": _jsonl, ".csv": _csv, ".parquet": _parquet}
