"""Readers of user corpora: folders of text files, single text files, and tables (CSV, JSON Lines, Parquet)."""

import csv
import json
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from robo_poet.corpus.document import Document
from robo_poet.corpus.source_files import LARGEST_TEXT, SourceFiles, binary_file, not_parquet
from robo_poet.errors import BadInput
from robo_poet.settings.data import Columns

BOM = b"\xef\xbb\xbf"


def read_text(files: SourceFiles, name: str = "") -> str:
    """Return the text of a file, without a byte order mark. Reads the whole file into memory.

    Raises:
        BadInput: the file is empty, binary, not UTF-8, too large or not readable.
    """
    where = str(files.root / name if name else files.root)
    with files.open(name) as file:
        data = _read(file, LARGEST_TEXT + 1, where)
    if len(data) > LARGEST_TEXT:
        raise BadInput("the file grows while it is read", where=where, remedy="copy it, and give the copy")
    text = _decoded(data, 0, where)
    if not text.strip():
        raise BadInput("the file is empty", where=where, remedy="remove it or put text in it")
    return text


def read_lines(file: Path) -> Iterator[str]:
    """Yield the lines of a table with their line ends, without loading the whole file. Skips a byte order mark.

    Raises:
        BadInput: the file is binary (has a NUL byte), not UTF-8 or not readable; the message names the byte offset. Or a line has more
            than `LARGEST_TEXT` bytes.
    """
    offset, where = 0, str(file)
    with SourceFiles(file).open() as opened:
        try:
            while line := opened.readline(LARGEST_TEXT + 1):
                if len(line) > LARGEST_TEXT:
                    raise BadInput(
                        f"the line at byte {offset} is longer than {LARGEST_TEXT / 1e6:.0f} MB",
                        where=where,
                        remedy="divide its text into rows",
                    )
                yield _decoded(line, offset, where)
                offset += len(line)
        except OSError as error:
            raise _unreadable(error, where) from None


def _read(file: BinaryIO, size: int, where: str) -> bytes:
    try:
        return file.read(size)
    except OSError as error:
        raise _unreadable(error, where) from None


def _unreadable(error: OSError, where: str) -> BadInput:
    return BadInput((error.strerror or "cannot be read").lower(), where=where, remedy="change its permissions or remove it")


def _decoded(data: bytes, offset: int, where: str) -> str:
    """Return the text of bytes that begin at `offset` of a file, without a byte order mark at the beginning of the file.

    Raises:
        BadInput: see `read_lines`.
    """
    if (nul := data.find(b"\0")) >= 0:
        raise binary_file(where, offset + nul)
    start = len(BOM) if offset == 0 and data.startswith(BOM) else 0
    try:
        return data[start:].decode()
    except UnicodeDecodeError as error:
        at = start + error.start
        raise BadInput(f"not UTF-8 at byte {offset + at} (0x{data[at]:02x})", where=where, remedy="save it as UTF-8") from None


IDENTIFIER = re.compile(r"[^\W\d][\w-]{0,29}")
MAX_COLUMNS_SHOWN = 10


def check_columns(where: str, present: Collection[str], columns: Columns, may_be_data: bool = False) -> None:
    """Check that the text column exists, and every column that the profile sets to a non-default name.

    Args:
        where: the file or row, for error messages.
        present: names of the existing columns.
        may_be_data: True if `present` is the first row of a file that may have no header.

    Raises:
        BadInput: a column is missing. Lists the existing columns, unless they may be personal data.
    """
    for name, info in Columns.model_fields.items():
        column = getattr(columns, name)
        if column in present or (name != "text" and column == info.default):
            continue
        if present and may_be_data and not _is_header(present, columns):
            raise BadInput(
                f"no column {column!r}, and the first row does not look like a header",
                where=where,
                remedy=f"add a header row with the column names, or set ingest.columns.{name} to a name in the first row",
            )
        names = [cell for cell in present if IDENTIFIER.fullmatch(cell)][:MAX_COLUMNS_SHOWN]
        more = f"{len(present) - len(names)} {'more' if names else 'with other names'}" if len(present) > len(names) else ""
        existing = " and ".join(filter(None, (", ".join(names), more))) or "none"
        raise BadInput(
            f"no column {column!r}; existing columns: {existing}", where=where, remedy=f"set ingest.columns.{name} to an existing column"
        )


def _is_header(row: Collection[str], columns: Columns) -> bool:
    """Return True if all cells are short identifiers and one is a known column name.

    Short identifiers are not sufficient, because a data row of first names and places also consists of short identifiers.
    """
    known = {name.casefold() for name in (*Columns.model_fields, *columns.model_dump().values())}
    return all(IDENTIFIER.fullmatch(cell) for cell in row) and any(cell.casefold() in known for cell in row)


BATCH_ROWS = 256  # rows per batch of a Parquet file
Row = tuple[str, Mapping[str, Any]]  # its location (file and row), and its cells by column


def table_documents(file: Path, columns: Columns) -> Iterator[Document]:
    """Yield one document per row. The default id is the row number, from 1; the default group is the id.

    - A row without id and group has an empty group, so its content decides its split. A row number would change if a row were
      inserted above.
    - The id is never a digest of the content. Scrubbing keeps the ids, and a short text can be guessed from its digest.

    Raises:
        BadInput: a column is missing, a row is malformed (names file and line), or the file is not UTF-8 or not readable. The
            message never quotes text.
    """
    rows = READERS[file.suffix.lower()]
    for number, (where, cells) in enumerate(rows(file, columns), start=1):
        if not isinstance(cells.get(columns.text) or "", str):
            raise BadInput(
                f"{columns.text!r} is of type {type(cells[columns.text]).__name__}, not a string",
                where=where,
                remedy="write it as a string",
            )
        text = cells.get(columns.text) or ""
        fields = {name: _string(cells.get(getattr(columns, name))) for name in Columns.model_fields} | {"text": text}
        for name, value in fields.items():
            _check_encodable(value, f"{where}: {getattr(columns, name)!r}")
        group = fields.pop("group") or fields["id"]
        yield Document(**fields | {"id": fields["id"] or f"{file.name}#{number}"}, group=group, source=SOURCE)


def _check_encodable(value: str, where: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:  # JSON escapes can encode half of a surrogate pair
        problem = f"an unpaired surrogate (\\u{ord(value[error.start]):04x}), which is not a character"
        raise BadInput(problem, where=where, remedy="correct this escape sequence") from None


def _string(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)


def _jsonl(file: Path, columns: Columns) -> Iterator[Row]:
    for number, line in enumerate(read_lines(file), start=1):
        where = f"{file}:{number}"
        if not line.strip():
            continue
        try:
            cells = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = error.msg.lower() if isinstance(error, json.JSONDecodeError) else "cannot be parsed"
            raise BadInput(f"not JSON: {reason}", where=where, remedy="write one JSON object per line") from None
        if not isinstance(cells, dict):
            raise BadInput(
                f"the line is of type {type(cells).__name__}, not a JSON object", where=where, remedy="write one JSON object per line"
            )
        if columns.text not in cells:
            check_columns(where, list(cells), columns)
        yield where, cells


def _csv(file: Path, columns: Columns) -> Iterator[Row]:
    csv.field_size_limit(LARGEST_TEXT)  # the default limit of 128 KiB is smaller than a play
    reader = csv.DictReader(read_lines(file), strict=True)
    try:
        check_columns(str(file), list(reader.fieldnames or ()), columns, may_be_data=True)
        for cells in reader:
            where = f"{file}:{reader.line_num}"
            if None in cells:
                raise BadInput("the row has more cells than the header", where=where, remedy="quote cells that contain commas")
            yield where, cells
    except csv.Error as error:
        raise BadInput(
            f"malformed CSV: {error}", where=f"{file}:{reader.reader.line_num}", remedy="quote cells that contain quotes or line breaks"
        ) from None


EXPANSION, ALLOWED = 200, 1_000_000_000  # a table may expand to 200 times its size, or to 1 GB; text is compressed 3 to 50 times


def _parquet(file: Path, columns: Columns) -> Iterator[Row]:
    """Yield the rows of a Parquet file.

    A small file can hold much text, because values are compressed, and a value that is repeated is stored once. So the text column is
    read as a dictionary, one row is in memory at a time, and the bytes are counted.
    """
    number = size = 0
    try:
        with SourceFiles(file).open() as opened:
            largest = max(ALLOWED, EXPANSION * os.fstat(opened.fileno()).st_size)
            present = pq.read_schema(opened).names
            check_columns(str(file), present, columns)
            table = pq.ParquetFile(opened, read_dictionary=[columns.text])
            wanted = [column for column in dict.fromkeys(columns.model_dump().values()) if column in present]
            _check_expansion(_uncompressed(table, wanted), largest, str(file))
            for batch in table.iter_batches(batch_size=BATCH_ROWS, columns=wanted):
                where = f"{file}: rows {number + 1} to {number + batch.num_rows}"
                for cells in _batch_rows(batch, where):
                    number += 1
                    size += sum(len(value) for value in cells.values() if isinstance(value, (str, bytes)))
                    _check_expansion(size, largest, str(file))
                    yield f"{file}: row {number}", cells
    except OSError as error:
        raise BadInput((error.strerror or str(error)).lower(), where=str(file), remedy="change its permissions") from None
    except pa.ArrowException:
        raise not_parquet(str(file)) from None


def _uncompressed(table: pq.ParquetFile, wanted: list[str]) -> int:
    """Return the uncompressed size in bytes of the wanted columns, from the metadata."""
    metadata = table.metadata
    chunks = (
        metadata.row_group(group).column(column) for group in range(metadata.num_row_groups) for column in range(metadata.num_columns)
    )
    return sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema.partition(".")[0] in wanted)


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


READERS: dict[str, Callable[[Path, Columns], Iterator[Row]]] = {".jsonl": _jsonl, ".csv": _csv, ".parquet": _parquet}


SOURCE = "user"  # a constant, not a setting: user text always gets the full privacy treatment (contract 11)
WORK_SEPARATOR = re.compile(r"^(?:-{3,}[ \t]*|\f)\r?$", re.MULTILINE)


def folder_documents(files: SourceFiles) -> Iterator[Document]:
    """Yield one document per file. The id is the path relative to the folder.

    Raises:
        BadInput: a file is empty, binary, not UTF-8 or not readable. One bad file stops the run.
    """
    for name in files.names:
        yield Document(id=name, group=name, text=read_text(files, name), title=PurePosixPath(name).stem, source=SOURCE)


def file_documents(file: Path) -> Iterator[Document]:
    """Yield the works of a single file. A line of three or more hyphens, or a form feed, separates works.

    The id is the number of the work, from 1. The number would change if a work were inserted above. So the group is empty, and the split
    depends on the content.

    Raises:
        BadInput: the file is empty, binary, not UTF-8 or not readable.
    """
    works = [work.strip("\r\n") for work in WORK_SEPARATOR.split(read_text(SourceFiles(file))) if work.strip()]
    for number, text in enumerate(works, start=1):
        yield Document(id=f"{file.name}#{number}", group="", text=text, title=f"{file.stem} {number}", source=SOURCE)
