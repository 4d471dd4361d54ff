"""The columns of a table against those that the profile names. What is shown of a table's first row is names, never data."""

import re
from collections.abc import Collection

from robo_poet.errors import BadInput
from robo_poet.settings.data import Columns

NAME = re.compile(r"[^\W\d][\w-]{0,29}")
SHOWN = 10


def check_columns(where: str, present: Collection[str], columns: Columns, may_be_data: bool = False) -> None:
    """The text column must be there, and so must every other that the profile names by hand.

    Args:
        may_be_data: `present` is the first row of a file that may have no header.

    Raises:
        BadInput: a column is missing; names those that exist, unless they may be somebody's data.
    """
    for name, info in Columns.model_fields.items():
        column = getattr(columns, name)
        if column in present or (name != "text" and column == info.default):
            continue
        if present and may_be_data and not _is_header(present, columns):
            raise BadInput(
                f"no column {column!r}, and the first row does not look like a header",
                where=where,
                remedy=f"give the table a first row with the names of its columns, or set ingest.columns.{name} to one of them",
            )
        names = [one for one in present if NAME.fullmatch(one)][:SHOWN]
        more = f"{len(present) - len(names)} {'more' if names else 'with other names'}" if len(present) > len(names) else ""
        there = " and ".join(filter(None, (", ".join(names), more))) or "none"
        raise BadInput(f"no column {column!r}; it has: {there}", where=where, remedy=f"set ingest.columns.{name} to one of them")


def _is_header(row: Collection[str], columns: Columns) -> bool:
    """All cells are short identifiers, and one is a name we know: a row of first names and places is identifiers, too."""
    known = {name.casefold() for name in (*Columns.model_fields, *columns.model_dump().values())}
    return all(NAME.fullmatch(cell) for cell in row) and any(cell.casefold() in known for cell in row)
