"""`robo-poet data trace`: where a document is stored, what was done with it, and which versions were trained on it (DATA-4)."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from cli.forget import DocumentId, Source, Subject, folders_of
from cli.profile import Profile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.deletion.trace import LeftOutTrace, Trace

SHOWN = 10  # documents on a terminal; --json prints all


def trace_document(
    document: DocumentId = [],  # noqa: B006  typer reads the default
    title: Annotated[list[str], typer.Option(help="Title of a document (repeatable).")] = [],  # noqa: B006
    author: Annotated[list[str], typer.Option(help="Author of documents (repeatable).")] = [],  # noqa: B006
    source: Source = [],  # noqa: B006
    subject: Subject = [],  # noqa: B006
    text: Annotated[list[str], typer.Option(help="A piece of the text, at least 8 letters and digits (repeatable).")] = [],  # noqa: B006
    profile: Profile = "local",
    as_json: Annotated[bool, typer.Option("--json", help="Print all documents as JSON.")] = False,
) -> None:
    """Trace documents: origin, licence, consent, split, personal data found, cached results, runs, and versions trained on them.

    Several options select the documents that match any of them. Case, accents,
    spaces and punctuation do not count. Nothing is changed.

    Example: `robo-poet data trace --author "William Shakespeare"`
    """
    from pipelines.deletion.trace import trace
    from robo_poet.deletion.selection import Selection
    from robo_poet.errors import BadInput

    groups = (subject, source, document, title, author, text)
    if not any(groups):
        raise BadInput("nothing is selected", remedy="give --document, --title, --author, --source, --subject or --text")
    selection = Selection(*(tuple(values) for values in groups))
    traces, left_out, receipts = trace(folders_of(profile), selection)
    if as_json:
        deleted = [{"receipt": name, **receipt} for name, receipt in receipts.items()]
        documents = [selected.to_json() for selected in traces]
        content = {"documents": documents, "left_out": [item.to_json() for item in left_out], "deleted": deleted}
        typer.echo(json.dumps(content, indent=1, ensure_ascii=False))
        return
    if not traces and not left_out:
        typer.echo("no stored document matches")
    for shown in traces[:SHOWN]:
        _print(shown)
    if len(traces) > SHOWN:
        typer.echo(f"… and {len(traces) - SHOWN} more documents; --json prints all")
    for item in left_out[:SHOWN]:
        _print_left_out(item)
    if len(left_out) > SHOWN:
        typer.echo(f"… and {len(left_out) - SHOWN} more documents that were left out; --json prints all")
    for name, receipt in receipts.items():
        versions = ", ".join(str(item["version"]) for item in receipt.get("versions", ())) or "none"
        typer.echo(f"deleted on {str(receipt.get('time'))[:10]} (receipt {name}); versions trained on it: {versions}")


def _print_left_out(item: "LeftOutTrace") -> None:
    from robo_poet.display import terminal_text

    origin = ", ".join(filter(None, (item.row.source, *item.addresses))) or "not known"
    runs = ", ".join(item.runs) or "none"
    typer.echo(terminal_text(f"{item.row.id}: left out by ingest: {item.row.why}; origin {origin}; runs {runs}"))


def _print(traced: "Trace") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from robo_poet.display import terminal_text

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 1000  # do not wrap lines in a log file
    table = Table("document", terminal_text(traced.document.id), box=None, pad_edge=False)
    for name, value in _rows(traced):
        table.add_row(name, Text(terminal_text(value)))
    console.print(table)
    console.print()


def _rows(traced: "Trace") -> "Iterator[tuple[str, str]]":
    document = traced.document
    for name in ("title", "author", "date", "language"):
        if value := getattr(document, name):
            yield name, value
    yield "origin", ", ".join(filter(None, (document.source, traced.address))) or "not known"
    yield "licence", document.licence or "not stated"
    yield "consent", document.consent or "not stated"
    yield "text", f"{len(document.text):,} characters, split {document.split}, work {document.group}"
    yield "same text", f"{traced.copies} other documents"
    yield "personal data", ", ".join(f"{count} {kind}" for kind, count in traced.findings.items()) or "none replaced"
    for step, keys in traced.steps.items():
        yield f"cached {step}", ", ".join(key[:12] for key in keys)
    yield "runs", ", ".join(traced.runs) or "none"
    for item in traced.versions:
        splits = ", ".join(f"{count} {split}" for split, count in item.splits.items())
        yield "version", f"{item.version.name} ({item.version.stage}): {splits or item.started_from}"
    if not traced.versions:
        yield "version", "none"
