"""Corpora: `robo-poet data describe` says what a corpus holds, what a run would make of it, and which settings fit."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from cli.profile import Profile, Set, absolute_source
from cli.schema import app as schema_app
from cli.trace import trace_document

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from pipelines.suggestion.advice import Advice
    from robo_poet.description.description import Description, Names

app = typer.Typer(no_args_is_help=True, help="Describe corpora before a run, and trace documents.")
app.command("trace")(trace_document)
app.add_typer(schema_app, name="schema")
MOST_SHOWN = 5  # languages and kinds of personal data in the table; --json has all


@app.callback()
def data() -> None:
    """Describe corpora before a run, and trace documents."""


@app.command("describe")
def describe_corpus(
    corpus: Annotated[
        str,
        typer.Argument(help="Your own text: folder, .zip, .txt, .md, .jsonl, .csv, .parquet or gs://…. Default: the bundled corpora."),
    ] = "",
    profile: Profile = "local",
    set_: Set = [],  # noqa: B006  typer reads the default
    as_json: Annotated[bool, typer.Option("--json", help="Print the description and the suggestion as JSON.")] = False,
    write: Annotated[str, typer.Option("--write-profile", metavar="NAME", help="Write the suggested profile to profiles/NAME.yaml.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Overwrite a profile that --write-profile wrote before.")] = False,
) -> None:
    """Describe a corpus in seconds: sizes, languages, dates, duplicates, personal data by kind, splits, warnings.

    It also estimates the time of a run with each profile, and suggests settings.
    Nothing is trained. Personal data is counted, never shown.

    Example: `robo-poet data describe ~/poems --write-profile poems`
    """
    from rich.console import Console

    from pipelines.suggestion.advice import advise
    from pipelines.suggestion.profile_file import profile_path, write_profile
    from robo_poet.commands import make
    from robo_poet.errors import BadInput

    path = profile_path(write, force=force) if write else None
    advice = advise(absolute_source(corpus), profile, set_, name=write)
    if path and not advice.text:
        raise BadInput("no profile can be suggested, because no model can be trained", where=corpus, remedy=advice.warnings[0])
    if path:
        write_profile(path, advice.text)
    if as_json:
        typer.echo(json.dumps(advice.to_json(), indent=1, ensure_ascii=False))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 1000  # do not wrap lines in a log file
    for part in _rendered(advice):
        console.print(part)
    if path:
        console.print(f"\nwrote {path}; to use it: {make(f'run-pipeline PROFILE={write}{_corpus_argument(corpus)}')}", soft_wrap=True)
    elif advice.suggestion:
        arguments = _corpus_argument(corpus) + _set_argument(set_)
        console.print(f"\nto use these settings: {make(f'run-pipeline PROFILE=auto{arguments}')}", soft_wrap=True)


def _corpus_argument(corpus: str) -> str:
    """Return the variable for make: an absolute path, because the Makefile may be in another folder."""
    from shlex import quote

    return f" CORPUS={quote(absolute_source(corpus))}" if corpus else ""


def _set_argument(overrides: list[str]) -> str:
    """Return the variable ARGS for make with the options --set; empty without any."""
    from shlex import join, quote

    words = [word for override in overrides for word in ("--set", override)]
    return f" ARGS={quote(join(words))}" if words else ""


def _rendered(advice: "Advice") -> "list[RenderableType]":
    """Return the tables of a description."""
    from rich.table import Table

    facts = Table("corpus", advice.corpus, box=None, pad_edge=False)
    for name, value in _facts(advice.description):
        facts.add_row(name, value)
    parts: list[RenderableType] = [facts]
    if advice.splits.sizes:
        splits = Table("split", "works", "documents", "MB", box=None, pad_edge=False, title="\nSplits", title_justify="left")
        for column in splits.columns[1:]:
            column.justify = "right"
        for split, size in advice.splits.sizes.items():
            splits.add_row(split, f"{size.works:,}", f"{size.documents:,}", f"{size.megabytes:.3f}")
        parts.append(splits)
    if advice.warnings:
        warnings = Table("", "", box=None, pad_edge=False, show_header=False, title="\nWarnings", title_justify="left")
        for warning in advice.warnings:
            warnings.add_row("-", warning)
        parts.append(warnings)
    if advice.durations:
        times = Table(
            "profile", "in all", "personal data", "training", box=None, pad_edge=False, title_justify="left",
            title="\nTime of a run, estimated for this machine without other work",
        )  # fmt: skip
        for name, duration in advice.durations.items():
            times.add_row(name, *(_time(seconds) for seconds in (duration.seconds, duration.scrubbing, duration.training)))
        parts.append(times)
    if advice.suggestion:
        parts.append(suggestion_table(advice))
    return parts


def suggestion_table(advice: "Advice") -> "RenderableType":
    """Return the suggested settings, each with its reason."""
    from rich.table import Table

    assert advice.suggestion
    table = Table("setting", "value", "reason", box=None, pad_edge=False, title="\nSuggested settings", title_justify="left")
    for choice in advice.suggestion.choices:
        table.add_row(choice.key, str(choice.value), choice.why)
    for gate, why in advice.suggestion.gates:
        bound = "not used" if "drop" in gate else f"<= {gate['max']}"
        table.add_row(f"gate {gate['metric']}", bound, why or str(gate["drop"]))
    return table


def print_advice(console: "Console", advice: "Advice") -> None:
    """Print what a run with the profile `auto` uses: warnings, the estimated time and the suggested settings."""
    console.print(f"profile auto for {advice.corpus}: {advice.suggestion.summary if advice.suggestion else ''}")
    for warning in advice.warnings:
        console.print(f"warning: {warning}")
    console.print(suggestion_table(advice))
    console.print(f"about {_time(advice.durations['suggested'].seconds)} on this machine if nothing else runs on it\n")


def _facts(d: "Description") -> list[tuple[str, str]]:
    sampled = f" (a sample of {d.sampled_from:,})" if d.sampled_from > d.documents else ""
    languages = ", ".join(f"{name} {share:.0%}" for name, share in list(d.languages.items())[:MOST_SHOWN]) or "none"
    dates = f"{d.dates[0]} to {d.dates[1]}, {d.without_date:,} documents without" if d.dates else "none"
    near = f"{d.near_copies:,} near-duplicates{', dropped' if 'near_duplicate' in d.dropped else ''}"
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(d.personal.items(), key=lambda item: -item[1])[:MOST_SHOWN])
    facts = [
        ("text", f"{d.megabytes:.3f} MB"),
        ("documents", f"{d.documents:,}{sampled}, half of them under {d.median_characters:,} characters"),
        ("works", f"{d.works:,}; the largest has {d.largest_work_share:.0%} of the text"),
        ("languages", languages),
        ("dates", dates),
        ("duplicates", f"{d.duplicates:,} exact, dropped; {near}"),
        ("personal data", f"{kinds} (in {d.personal_documents:,} documents)" if kinds else "none with a fixed format"),
    ]
    if d.names:
        facts.append(("names of persons", _names(d.names)))
    return facts


def _names(names: "Names") -> str:
    if names.searched >= 0.99 * names.of:
        return f"{names.matches:,}, found by {names.model}"
    in_all = _rounded(names.matches * names.of / names.searched)
    return f"about {in_all}: {names.matches:,} in a sample of {names.searched:.2f} of {names.of:.2f} MB, found by {names.model}"


def _rounded(number: float) -> str:
    """Return a number with two significant digits."""
    return f"{float(f'{number:.2g}'):,.0f}"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(5, 5 * round(seconds / 5))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
