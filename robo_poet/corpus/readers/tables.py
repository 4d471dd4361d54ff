"""Readers of tables: one document per row. CSV has a reader of its own (`csv_table`); JSON Lines and Parquet are here."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from robo_poet.corpus.compression import plain_name
from robo_poet.corpus.document import Document
from robo_poet.corpus.file_kinds import not_parquet
from robo_poet.corpus.readers.cells import CellReader, check_columns, check_unique
from robo_poet.corpus.readers.csv_table import csv_rows
from robo_poet.corpus.readers.encoding import Decoder
from robo_poet.corpus.readers.reading_log import ReadingLog
from robo_poet.corpus.readers.text_files import SOURCE
from robo_poet.corpus.source_files import SourceFiles
from robo_poet.errors import BadInput
from robo_poet.settings.data import Columns

BATCH_ROWS = 256  # rows per batch of a Parquet file
Row = tuple[str, Mapping[str, Any]]  # its location (file and row), and its cells by column


def table_documents(files: SourceFiles, columns: Columns, encoding: str, log: ReadingLog) -> Iterator[Document]:
    """Yield one document per row. The default id is the row number, from 1; the default group is the id.

    - A row without id and group has an empty group, so its content decides its split. A row number would change if a row were
      inserted above.
    - The id is never a digest of the content. Scrubbing keeps the ids, and a short text can be guessed from its digest.

    Args:
        encoding: `ingest.encoding`, the encoding of lines that are not Unicode; empty refuses them.
        log: counts what is assumed.

    Raises:
        BadInput: a column is missing, a row is malformed (names file and line), or the file is in another encoding or not readable. The
            message never quotes text.
    """
    name, where = files.root.name, files.where()
    rows = READERS[PurePosixPath(plain_name(files.member or name)).suffix.lower()]
    reader = CellReader(where, columns, log)
    with files.reading():
        for number, (row, cells) in enumerate(rows(files, columns, Decoder(where, encoding, log)), start=1):
            fields = reader.fields(row, cells)
            group = fields.pop("group") or fields["id"]
            yield Document(**fields | {"id": fields["id"] or f"{name}#{number}"}, group=group, source=SOURCE)


class _Repeated(dict[str, Any]):
    """A JSON object that has a key twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    return value if len(value) == len(pairs) else _Repeated(value)


def _jsonl(files: SourceFiles, columns: Columns, decoder: Decoder) -> Iterator[Row]:
    parse = json.JSONDecoder(object_pairs_hook=_object).decode
    with files.open() as opened:
        for number, line in enumerate(decoder.lines(opened), start=1):
            where = f"{decoder.where}:{number}"
            if not line.strip():
                continue
            try:
                cells = parse(line.removeprefix("\ufeff"))  # files that were joined have a byte order mark in the middle
            except (ValueError, RecursionError) as error:
                reason = error.msg.lower() if isinstance(error, json.JSONDecodeError) else "cannot be parsed"
                raise BadInput(f"not JSON: {reason}", where=where, remedy="write one JSON object per line") from None
            if not isinstance(cells, dict):
                raise BadInput(
                    f"the line is of type {type(cells).__name__}, not a JSON object", where=where, remedy="write one JSON object per line"
                )
            if isinstance(cells, _Repeated):
                raise BadInput("a key of the object occurs twice", where=where, remedy="remove one of the two values")
            if columns.text not in cells:
                check_columns(where, list(cells), columns)
            yield where, cells


EXPANSION, ALLOWED = 200, 1_000_000_000  # a table may expand to 200 times its size, or to 1 GB; text is compressed 3 to 50 times


def _parquet(files: SourceFiles, columns: Columns, decoder: Decoder) -> Iterator[Row]:
    """Yield the rows of a Parquet file.

    A small file can hold much text, because values are compressed, and a value that is repeated is stored once. So the text column is
    read as a dictionary, one row is in memory at a time, and the bytes are counted.
    """
    number, size, file = 0, 0, decoder.where
    decoder.log.start(file)
    try:
        with files.open() as opened:
            largest = max(ALLOWED, EXPANSION * os.fstat(opened.fileno()).st_size)
            schema = pq.read_schema(opened)
            present = schema.names
            check_columns(file, present, columns)
            check_unique(file, present, columns)
            kind = schema.field(columns.text).type
            is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
            if pa.types.is_nested(kind):
                raise BadInput(
                    f"{columns.text!r} is of type {str(kind).partition('<')[0]}, not a string", where=file, remedy="write it as a string"
                )
            table = pq.ParquetFile(opened, read_dictionary=[columns.text] if is_text else None)
            wanted = [column for column in dict.fromkeys(columns.model_dump().values()) if column in present]
            _check_expansion(_uncompressed(table), largest, file)
            for batch in table.iter_batches(batch_size=BATCH_ROWS, columns=wanted):
                where = f"{file}: rows {number + 1} to {number + batch.num_rows}"
                for cells in _batch_rows(batch, where):
                    number += 1
                    size += sum(len(value) for value in cells.values() if isinstance(value, (str, bytes)))
                    _check_expansion(size, largest, file)
                    yield f"{file}: row {number}", cells
    except OSError as error:
        if error.errno is None:  # pyarrow reports damage so, too
            raise not_parquet(file) from None
        raise BadInput((error.strerror or str(error)).lower(), where=file, remedy="change its permissions") from None
    except (pa.ArrowException, ValueError, LookupError):  # ValueError: the name of a column is not UTF-8
        raise not_parquet(file) from None


def _uncompressed(table: pq.ParquetFile) -> int:
    """Return the uncompressed size of all columns in bytes, from the metadata.

    The sizes of single columns are not asked for: if they are damaged, pyarrow 25 ends the process.
    """
    return sum(table.metadata.row_group(group).total_byte_size for group in range(table.metadata.num_row_groups))


def _check_expansion(size: int, largest: int, where: str) -> None:
    if size > largest:
        raise BadInput(
            f"the table expands to more than {largest / 1e6:,.0f} MB, over {EXPANSION} times its size",
            where=where,
            remedy="remove the rows that repeat, or write it without compression",
        )


def _batch_rows(batch: pa.RecordBatch, where: str) -> Iterator[dict[str, Any]]:
    try:
        for row in range(batch.num_rows):
            yield {name: column[row].as_py() for name, column in zip(batch.schema.names, batch.columns, strict=True)}
    except pa.ArrowException:
        raise
    except UnicodeDecodeError as error:
        raise BadInput(f"not UTF-8 (byte 0x{error.object[error.start]:02x})", where=where, remedy="write the text as UTF-8") from None
    except (ValueError, OverflowError, LookupError):
        raise BadInput("a value is out of range, such as a date after the year 9999", where=where, remedy="store it as a string") from None


READERS: dict[str, Callable[[SourceFiles, Columns, Decoder], Iterator[Row]]] = {
    ".jsonl": _jsonl, ".ndjson": _jsonl, ".csv": csv_rows, ".tsv": csv_rows, ".parquet": _parquet,
}  # fmt: skip
