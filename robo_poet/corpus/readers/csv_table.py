"""The reader of CSV tables. The separator is found in the header: the one that gives the text column.

Commas, semicolons, tabs and vertical bars separate cells. Spreadsheets of many countries write semicolons, because their comma is the
decimal mark. A separator in a cell of another kind, such as a comma, needs no quotes then.
"""

import csv
import re
from collections.abc import Iterator
from typing import Any

from robo_poet.corpus.compression import plain_name
from robo_poet.corpus.file_kinds import LARGEST_TEXT
from robo_poet.corpus.readers.cells import check_columns, check_unique
from robo_poet.corpus.readers.encoding import Decoder
from robo_poet.corpus.source_files import SourceFiles
from robo_poet.errors import BadInput
from robo_poet.settings.data import Columns

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_EXCEL = re.compile(r'"?sep=(.)"?\s*')  # the first line that Excel writes or reads


def csv_rows(files: SourceFiles, columns: Columns, decoder: Decoder) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield location and cells of each row. Blank lines are not rows.

    Raises:
        BadInput: a column is missing, a row has more or fewer cells than the header, or quotes are wrong. The message names the line on
            which the row begins.
    """
    csv.field_size_limit(LARGEST_TEXT)  # the default limit of 128 KiB is smaller than a play
    where, only = decoder.where, "\t" if plain_name(files.member or files.root.name).lower().endswith(".tsv") else ""
    with files.open() as opened:
        lines = _Lines(decoder.lines(opened))
        separator, spaced = lines.dialect(columns, only)
        reader = csv.reader(lines, delimiter=separator, skipinitialspace=spaced, strict=True)
        begin = lines.number + 1
        try:
            header = [cell.strip() for cell in next(reader, [])]
            check_columns(where, header, columns, may_be_data=True)
            check_unique(where, header, columns)
            begin = lines.number + 1
            for row in reader:
                if row:
                    yield f"{where}:{begin}", dict(zip(header, _checked(row, len(header), f"{where}:{begin}", separator), strict=True))
                begin = lines.number + 1
        except csv.Error as error:
            raise BadInput(
                f"malformed CSV: {error}", where=f"{where}:{begin}", remedy="quote cells that contain quotes or line breaks"
            ) from None


def _checked(row: list[str], count: int, where: str, separator: str) -> list[str]:
    """Return the cells of a row; empty cells after the last column are left out."""
    while len(row) > count and not row[-1].strip():
        row.pop()
    if len(row) > count:
        raise BadInput(
            f"the row has more cells than the header ({len(row)}, not {count})",
            where=where,
            remedy=f"quote cells that contain {SEPARATORS.get(separator, 'the separator')}",
        )
    if len(row) < count:
        raise BadInput(
            f"the row has {len(row)} cell{'s' * (len(row) > 1)}, and the header {count}",
            where=where,
            remedy="quote cells that contain line breaks, or add the missing separators",
        )
    return row


class _Lines:
    """The lines of a table for `csv.reader`. Counts them, and can look at the header first."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.number = 0  # of the last line that was read
        self._lines = lines
        self._first: str | None = None

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._first if self._first is not None else next(self._lines)
        self._first = None
        self.number += 1
        return line

    def dialect(self, columns: Columns, only: str = "") -> tuple[str, bool]:
        """Return the separator, and whether blanks follow it, from the first line that is not blank. That line is read next.

        Args:
            only: the only possible separator; empty to find it.
        """
        declared = ""
        for line in self:
            if not line.strip():
                continue
            if not declared and (match := _EXCEL.fullmatch(line)) and match[1] != '"':
                declared = match[1]
                continue
            self._first = line
            self.number -= 1
            break
        header = self._first or ""
        if separator := only or declared:
            return separator, _spaced(_cells(header, separator))
        cells = {separator: _cells(header, separator) for separator in SEPARATORS}
        fitting = {separator: row for separator, row in cells.items() if columns.text in map(str.strip, row)} or cells
        separator = max(fitting, key=lambda separator: len(fitting[separator]))
        return separator, _spaced(cells[separator])


def _cells(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def _spaced(header: list[str]) -> bool:
    """Return True if each cell after the first begins with a blank: `id, text, author`."""
    return len(header) > 1 and all(cell.startswith(" ") for cell in header[1:])
