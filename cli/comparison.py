"""The comparison of two runs or versions on a terminal, and as an HTML file, for `runs compare` and `registry compare`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from robo_poet.local_folder import local_path

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from robo_poet.report.comparison import Comparison, GatePair, MetricRow, Row, SamplePair
    from robo_poet.report.gate_rows import GateRow

Html = Annotated[
    Path | None,
    typer.Option("--html", help="Write the comparison as an HTML page to this file, instead of printing it.", callback=local_path),
]
COLOURS = {"pass": "green", "open": "yellow", "fail": "red"}
SAMPLE_LINES = 12  # of each text; the page has all


def show_comparison(comparison: "Comparison", html: Path | None, *, as_json: bool) -> None:
    """Print a comparison as tables or as JSON, or write it as a page."""
    import json

    if html is not None:
        from robo_poet.atomic import write_text
        from robo_poet.report.comparison_page import comparison_page

        write_text(html, comparison_page(comparison))
        typer.echo(f"comparison of {' and '.join(comparison.names)}: {html}")
    elif as_json:
        typer.echo(json.dumps(asdict(comparison), indent=1, ensure_ascii=False))
    else:
        from rich.console import Console

        console = Console(highlight=False)
        for part in _parts(comparison):
            console.print(part)


def _parts(comparison: "Comparison") -> "Iterator[RenderableType]":
    from rich.text import Text

    from robo_poet.report.comparison import equal_settings_text

    yield Text(f"A: {comparison.names[0]}\nB: {comparison.names[1]}", style="bold")
    for note in comparison.notes:
        yield Text(f"note: {note}", style="yellow")
    yield Text("")
    yield _rows(comparison.facts)
    yield _heading("Settings that differ" if comparison.settings else "Settings")
    if comparison.settings:
        yield _rows(comparison.settings)
    yield Text(equal_settings_text(comparison), style="dim")
    yield _heading("Data")
    yield _rows(comparison.data)
    if comparison.metrics:
        yield _heading("Metrics, with 95 % intervals; the difference is B − A")
        yield _metrics(comparison.metrics)
    if comparison.gates:
        yield _heading("Gates")
        yield _gates(comparison.gates)
    if comparison.samples:
        yield _heading("Samples (the prompt, in grey, is held-out text)")
        yield from _samples(comparison.samples)


def _heading(text: str) -> "RenderableType":
    from rich.text import Text

    return Text(f"\n{text}", style="italic")


def _table(columns: Sequence[str]) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _rows(rows: "Iterable[Row]") -> "Table":
    from rich.text import Text

    table = _table(("", "A", "B"))
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _metrics(rows: "Sequence[MetricRow]") -> "Table":
    """Return the table of metrics. It has the column `better` only if both were measured on the same texts."""
    from rich.text import Text

    judged = any(row.difference and row.note for row in rows)
    table = _table(("metric", "A", "B", "difference", *(("better",) if judged else ())))
    for row in rows:
        values = [
            Text(value) + Text(f" ({interval})" if interval else "", style="dim")
            for value, interval in zip(row.values, row.intervals, strict=True)
        ]
        difference = Text(row.difference) if row.difference else Text(row.note, style="dim")
        better = Text(row.note if row.difference else "", style="green" if row.note in ("A", "B") else "dim")
        table.add_row(Text(row.name), *values, difference, *((better,) if judged else ()))
    return table


def _gates(pairs: "Iterable[GatePair]") -> "Table":
    from rich.text import Text

    table = _table(("gate", "A", "B"))
    for pair in pairs:
        table.add_row(Text(pair.name), *map(_gate, pair.rows))
    return table


def _gate(row: "GateRow | None") -> "RenderableType":
    from rich.text import Text

    if row is None:
        return Text("no such gate", style="dim")
    return Text(row.verdict, style=COLOURS.get(row.verdict.split()[0], "")) + Text(f": {row.value} {row.bound}".rstrip(), style="dim")


def _samples(pairs: "Sequence[SamplePair]") -> "Iterator[RenderableType]":
    """Yield the samples: the sides next to each other, a common prompt above them."""
    from rich.table import Table
    from rich.text import Text

    for pair in pairs:
        first = pair.samples[0]
        if pair.same_prompt and first:
            yield _shortened(first["prompt"], "")
        table = Table("A", "B", box=None, pad_edge=False, expand=True)
        for column in table.columns:
            column.ratio = 1
        table.add_row(*(_sample(sample, pair.same_prompt) for sample in pair.samples))
        yield table
        yield Text("")


def _sample(sample: Mapping[str, str] | None, same_prompt: bool) -> "RenderableType":
    from rich.text import Text

    if sample is None:
        return Text("no further sample", style="dim")
    return _shortened("" if same_prompt else sample["prompt"], sample["text"])


def _shortened(prompt: str, text: str) -> "RenderableType":
    """Return the text without empty lines, and only its first lines. It is made safe to show."""
    from rich.text import Text

    from robo_poet.display import terminal_text

    marked = Text(terminal_text(prompt), style="dim") + Text(terminal_text(text))
    lines = [line for line in marked.split("\n") if line.plain.strip()]
    more = [Text("…", style="dim")] if len(lines) > SAMPLE_LINES else []
    return Text("\n").join([*lines[:SAMPLE_LINES], *more])
