"""Tables of many columns that fit the terminal: long cells are shortened, and the least important columns are left out."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console

GAP = 2  # spaces between columns
UNLIMITED = 1000  # columns, if the output goes to a file or a pipe
LEAST = 16  # columns of the last column, whose cells are wrapped


@dataclass(frozen=True)
class Column:
    """A column of a table that fits the terminal.

    Args:
        name: its head.
        most: longest cell, in characters; longer cells are shortened.
        drop: columns with higher numbers are left out first; 0 is never left out.
        right: align numbers.
    """

    name: str
    most: int = 24
    drop: int = 0
    right: bool = False


def terminal() -> "Console":
    """Return the console of a list. Without a terminal and without COLUMNS, its lines are as long as needed."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal and not os.environ.get("COLUMNS"):
        console.width = UNLIMITED
    return console


def shortened(text: str, most: int) -> str:
    """Return the text with at most `most` characters; `…` stands for what is missing."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def fitting(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return the indices of the columns that fit into `width`. The last column gets at least 16 characters, as its cells are wrapped."""
    needed = [max([len(column.name), *(min(column.most, len(row[i])) for row in rows)]) for i, column in enumerate(columns)]
    needed[-1] = min(needed[-1], LEAST)
    kept = list(range(len(columns)))
    while sum(needed[i] + GAP for i in kept) - GAP > width:
        droppable = [i for i in kept if columns[i].drop]
        if not droppable:
            break
        kept.remove(max(droppable, key=lambda i: columns[i].drop))
    return kept


def print_fitting(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Print a table. If columns are left out, say which."""
    from rich.table import Table
    from rich.text import Text

    console = terminal()
    kept = fitting(columns, rows, console.width)
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0))
    for i in kept:
        last = i == len(columns) - 1
        table.add_column(columns[i].name, justify="right" if columns[i].right else "left", no_wrap=not last, overflow="fold")
    for row in rows:
        table.add_row(*(Text(shortened(row[i], columns[i].most)) for i in kept))  # Text: a reason may contain brackets, rich's markup
    console.print(table)
    left_out = [column.name for i, column in enumerate(columns) if i not in kept]
    if left_out:
        typer.echo(f"not shown in {console.width} columns: {', '.join(left_out)}; --json has all")
