"""`robo-poet registry …`: list, verify and release model versions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from robo_poet.registry.version import Version

app = typer.Typer(help="The registry of model versions: which is champion, which is canary, and why.", no_args_is_help=True)

Folder = Annotated[Path, typer.Option("--registry", help="folder of the registry")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON, for machines")]
Number = Annotated[str, typer.Argument(metavar="N", help="number of a version")]
HOME = Path("registry")


def _number(text: str) -> int:
    from robo_poet.errors import BadInput

    if not (text.isascii() and text.isdigit()):
        raise BadInput(f"{text!r} is no version number", remedy="`robo-poet registry list` shows them")
    return int(text)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2))


def _say_empty(folder: Path) -> None:
    typer.echo(f"{folder}: the registry is empty; next: make run-pipeline")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=SIMPLE_HEAD)
    for row in rows:
        table.add_row(*map(Text, row))  # Text, because a reason may contain square brackets, which rich reads as markup
    Console().print(table)


def _summary(version: Version) -> dict[str, Any]:
    return {"version": version.number, "stage": str(version.stage), "why": version.why, "digest": version.digest}


@app.command("list")
def list_versions(registry: Folder = HOME, as_json: AsJson = False) -> None:
    """List all versions."""
    from robo_poet.registry.registry import Registry

    versions = Registry(registry).versions()
    if as_json:
        _print_json([_summary(version) for version in versions])
    elif versions:
        rows = [[str(version.number), version.stage, version.digest[:12], version.why] for version in versions]
        _table(["version", "stage", "digest", "why"], rows)
    else:
        _say_empty(registry)


@app.command()
def show(number: Number, registry: Folder = HOME, as_json: AsJson = False) -> None:
    """Show metrics, gates, lineage, files and history of a version."""
    from dataclasses import asdict

    from robo_poet.judges.metrics import metric_name, metric_text, ordered
    from robo_poet.registry.registry import Registry
    from robo_poet.report.gate_rows import HEAD, gate_row

    store = Registry(registry)
    version = store.version(_number(number))
    manifest = version.manifest()
    statements = [entry.statement for entry in store.log() if entry.statement.version == version.number]
    if as_json:
        history = [asdict(statement) for statement in statements]
        _print_json({**_summary(version), "folder": str(version.folder), **asdict(manifest), "history": history})
        return
    typer.echo(f"version {version.number} is {version.stage} ({version.why})\ndigest {version.digest}\nfolder {version.folder}")
    _table(["metric", "value"], [[metric_name(name), metric_text(name, value)] for name, value in ordered(manifest.metrics)])
    gates = manifest.decision.get("gates", [])
    _table(list(HEAD), [list(gate_row(gate).cells) for gate in gates])
    lineage = [[name, json.dumps(value) if isinstance(value, dict) else str(value)] for name, value in manifest.lineage.items()]
    _table(["made from", ""], lineage)
    _table(["file", "SHA-256"], [[name, digest[:12]] for name, digest in manifest.files.items()])
    _table(["time", "action", "who", "why"], [[statement.time, statement.action, statement.who, statement.why] for statement in statements])


@app.command()
def verify(
    number: Annotated[str | None, typer.Argument(metavar="[N]", help="number of a version, all without it")] = None,
    registry: Folder = HOME,
    as_json: AsJson = False,
) -> None:
    """Compare every file with its registered digest. Stops at the first difference."""
    from robo_poet.errors import BadInput
    from robo_poet.registry.registry import Registry

    store = Registry(registry)
    checked = store.verify(None if number is None else _number(number))
    if number is None and (strays := store.strays()):
        raise BadInput(
            f"the log does not know {len(strays)} version folder{'s' * (len(strays) > 1)}, such as {strays[0]}",
            where=str(registry / "versions"),
            remedy="a registration was killed, or the end of the log is lost: run the pipeline again, or restore the log",
        )
    if as_json:
        _print_json({"verified": [version.number for version in checked]})
    elif checked:
        typer.echo(f"{registry}: the log and {len(checked)} version{'s' if len(checked) > 1 else ''} are what was registered")
    else:
        _say_empty(registry)


@app.command()
def log(registry: Folder = HOME, as_json: AsJson = False) -> None:
    """Print all changes of the registry: when, who and why."""
    from dataclasses import asdict

    from robo_poet.registry.registry import Registry

    entries = Registry(registry).log()
    if as_json:
        _print_json([{"index": entry.index, **asdict(entry.statement)} for entry in entries])
    elif entries:
        indexed = [(str(entry.index), entry.statement) for entry in entries]
        rows = [
            [index, statement.time[:19], statement.action, str(statement.version), statement.who, statement.why]
            for index, statement in indexed
        ]
        _table(["entry", "time (UTC)", "action", "version", "who", "why"], rows)
    else:
        _say_empty(registry)


Why = Annotated[str, typer.Option("--why", help="the reason, for the log")]


@app.command()
def promote(number: Number, why: Why, registry: Folder = HOME) -> None:
    """Make a version the champion: the canary, or a former champion to roll back to."""
    from robo_poet.process import user_name
    from robo_poet.registry.registry import Registry

    store = Registry(registry)
    store.verify(_number(number))  # never serve files that differ from what was registered
    version = store.promote(_number(number), who=user_name(), why=why)
    typer.echo(f"version {version.number} is {version.stage}")


@app.command()
def archive(number: Number, why: Why, registry: Folder = HOME) -> None:
    """Archive a candidate or the canary."""
    from robo_poet.process import user_name
    from robo_poet.registry.registry import Registry

    version = Registry(registry).archive(_number(number), who=user_name(), why=why)
    typer.echo(f"version {version.number} is {version.stage}")


@app.command()
def start_canary(number: Number, why: Why, registry: Folder = HOME) -> None:
    """Make a candidate the canary, which serves a share of the users."""
    from robo_poet.process import user_name
    from robo_poet.registry.registry import Registry

    store = Registry(registry)
    store.verify(_number(number))
    version = store.start_canary(_number(number), who=user_name(), why=why)
    typer.echo(
        f"version {version.number} is {version.stage}; serve.canary_share of the users get it, which is 0 where nothing else is set:"
    )
    typer.echo("  make serve ARGS='--set serve.canary_share=0.1'   (or canary_share in the section serve of a profile)")


@app.command()
def override(
    number: Number,
    why: Why,
    name: Annotated[str, typer.Option("--name", help="your name: who answers for it")],
    registry: Folder = HOME,
) -> None:
    """Override the gates: make a rejected version a candidate. Its model card keeps your name and reason permanently."""
    from robo_poet.errors import BadInput
    from robo_poet.process import user_name
    from robo_poet.registry.registry import Registry

    store = Registry(registry)
    if store.verify(_number(number))[0].manifest().metrics.get("secrets_planted"):
        raise BadInput("made secrets were planted in what it was trained on: it was made to be measured", where=f"version {number}")
    version = store.override(_number(number), who=f"{name.strip()} ({user_name()})" if name.strip() else "", why=why)
    typer.echo(f"version {version.number} is {version.stage}; next: robo-poet registry start-canary {version.number} --why …")


@app.command()
def card(
    number: Number,
    registry: Folder = HOME,
    out: Annotated[Path | None, typer.Option("--out", help="HTML file to write; build/version-N.html by default")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the model card of a version, with its current stage and later overrides."""
    from robo_poet.registry.registry import Registry
    from robo_poet.report.registered_card import card_with_overrides, write_card_with_overrides

    store, version_number = Registry(registry), _number(number)
    version = store.verify(version_number)[0]
    overrides = store.overrides(version_number)
    if as_json:
        _print_json(card_with_overrides(version.folder, str(version.stage), overrides))
        return
    target = out or Path("build") / f"version-{version_number}.html"
    write_card_with_overrides(version.folder, version.number, str(version.stage), overrides, target)
    typer.echo(f"model card of version {version_number} ({version.stage}): {target}")
