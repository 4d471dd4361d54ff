"""The cells of a table: which columns exist, and which values are text."""

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from robo_poet.corpus.readers.reading_log import ReadingLog
from robo_poet.errors import BadInput
from robo_poet.settings.data import Columns

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


def check_unique(where: str, present: Sequence[str], columns: Columns) -> None:
    """Check that no column that is read exists twice. Columns that are not read may have any names.

    Raises:
        BadInput: one does.
    """
    counts = Counter(present)
    if twice := next((column for column in columns.model_dump().values() if counts[column] > 1), ""):
        raise BadInput(f"{counts[twice]} columns are called {twice!r}", where=where, remedy="rename or remove all but one")


def _is_header(row: Collection[str], columns: Columns) -> bool:
    """Return True if all cells are short identifiers and one is a known column name.

    Short identifiers are not sufficient, because a data row of first names and places also consists of short identifiers.
    """
    known = {name.casefold() for name in (*Columns.model_fields, *columns.model_dump().values())}
    return all(IDENTIFIER.fullmatch(cell) for cell in row) and any(cell.casefold() in known for cell in row)


class CellReader:
    """Turns the cells of a row into the strings of a document.

    Args:
        file: the table, for the log.
        log: counts values NaN that are read as missing.
    """

    def __init__(self, file: str, columns: Columns, log: ReadingLog) -> None:
        self._file, self._log = file, log
        self._columns = [(name, getattr(columns, name)) for name in Columns.model_fields]

    def fields(self, where: str, cells: Mapping[str, Any]) -> dict[str, str]:
        """Return field → string; a missing value is an empty string.

        Raises:
            BadInput: the text is not a string, another value is not a string, number or date, or a string has a NUL or an unpaired
                surrogate. The message names the row and the column, never a value.
        """
        strings = {}
        for name, column in self._columns:
            value: Any = cells.get(column)
            string = value if isinstance(value, str) else self._string(value, where, name, column)
            if string:
                _check_characters(string, where, column)
            strings[name] = string
        return strings

    def _string(self, value: Any, where: str, name: str, column: str) -> str:
        if value is None:
            return ""
        if isinstance(value, (float, Decimal)) and math.isnan(value):  # pandas writes NaN for a missing value
            self._log.count_missing(self._file)
            return ""
        if name == "text":
            raise BadInput(f"{column!r} is of type {type(value).__name__}, not a string", where=where, remedy="write it as a string")
        if isinstance(value, (float, Decimal)):
            if not math.isfinite(value):
                raise BadInput(f"{column!r} is an infinite number", where=where, remedy="write it as a string, or leave it out")
            whole = int(value)
            return str(whole) if whole == value and -(10**15) < whole < 10**15 else str(value)  # pandas writes 1901.0 for a year
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, (bool, int)):
            return str(value)
        raise BadInput(
            f"{column!r} is of type {type(value).__name__}, not a string, a number or a date", where=where, remedy="write it as a string"
        )


def _check_characters(value: str, where: str, column: str) -> None:
    if "\0" in value:
        raise BadInput(f"{column!r}: a NUL character", where=where, remedy="remove it")
    if value.isascii():
        return
    try:
        value.encode()
    except UnicodeEncodeError as error:  # JSON escapes can encode half of a surrogate pair
        problem = f"an unpaired surrogate (\\u{ord(value[error.start]):04x}), which is not a character"
        raise BadInput(problem, where=f"{where}: {column!r}", remedy="correct this escape sequence") from None
