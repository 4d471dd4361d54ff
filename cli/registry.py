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

    from robo_poet.registry.registry import Registry
    from robo_poet.report.names import metric_name, metric_text, ordered
    from robo_poet.report.results import gate_name

    opened = Registry(registry)
    version = opened.version(_number(number))
    manifest = version.manifest()
    said = [entry.statement for entry in opened.log() if entry.statement.version == version.number]
    if as_json:
        history = [asdict(statement) for statement in said]
        _print_json({**_summary(version), "folder": str(version.folder), **asdict(manifest), "history": history})
        return
    typer.echo(f"version {version.number} is {version.stage} ({version.why})\ndigest {version.digest}\nfolder {version.folder}")
    _table(["metric", "value"], [[metric_name(name), metric_text(name, value)] for name, value in ordered(manifest.metrics)])
    gates = manifest.decision.get("gates", [])
    _table(["gate", "bound", "verdict"], [[gate_name(gate), str(gate.get("bound")), str(gate.get("verdict"))] for gate in gates])
    lineage = [[name, json.dumps(value) if isinstance(value, dict) else str(value)] for name, value in manifest.lineage.items()]
    _table(["made from", ""], lineage)
    _table(["file", "SHA-256"], [[name, digest[:12]] for name, digest in manifest.files.items()])
    _table(["time", "action", "who", "why"], [[statement.time, statement.action, statement.who, statement.why] for statement in said])


@app.command()
def verify(
    number: Annotated[str | None, typer.Argument(metavar="[N]", help="number of a version, all without it")] = None,
    registry: Folder = HOME,
    as_json: AsJson = False,
) -> None:
    """Compare every file with its registered digest. Stops at the first difference."""
    from robo_poet.errors import BadInput
    from robo_poet.registry.registry import Registry

    opened = Registry(registry)
    checked = opened.verify(None if number is None else _number(number))
    if number is None and (strays := opened.strays()):
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
        said = [(str(entry.index), entry.statement) for entry in entries]
        rows = [[index, told.time[:19], told.action, str(told.version), told.who, told.why] for index, told in said]
        _table(["entry", "time (UTC)", "action", "version", "who", "why"], rows)
    else:
        _say_empty(registry)


Why = Annotated[str, typer.Option("--why", help="the reason, for the log")]


@app.command()
def promote(number: Number, why: Why, registry: Folder = HOME) -> None:
    """Make a version the champion: the canary, or a former champion to roll back to."""
    from robo_poet.person import who
    from robo_poet.registry.registry import Registry

    opened = Registry(registry)
    opened.verify(_number(number))  # never serve files that differ from what was registered
    version = opened.promote(_number(number), who=who(), why=why)
    typer.echo(f"version {version.number} is {version.stage}")


@app.command()
def archive(number: Number, why: Why, registry: Folder = HOME) -> None:
    """Archive a candidate or the canary."""
    from robo_poet.person import who
    from robo_poet.registry.registry import Registry

    version = Registry(registry).archive(_number(number), who=who(), why=why)
    typer.echo(f"version {version.number} is {version.stage}")


@app.command()
def start_canary(number: Number, why: Why, registry: Folder = HOME) -> None:
    """Make a candidate the canary, which serves a share of the users."""
    from robo_poet.person import who
    from robo_poet.registry.registry import Registry

    opened = Registry(registry)
    opened.verify(_number(number))
    version = opened.start_canary(_number(number), who=who(), why=why)
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
    from robo_poet.person import who
    from robo_poet.registry.registry import Registry

    opened = Registry(registry)
    if opened.verify(_number(number))[0].manifest().metrics.get("secrets_planted"):
        raise BadInput("made secrets were planted in what it was trained on: it was made to be measured", where=f"version {number}")
    version = opened.override(_number(number), who=f"{name.strip()} ({who()})" if name.strip() else "", why=why)
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
    from robo_poet.report.later import with_later, with_later_json

    opened, chosen = Registry(registry), _number(number)
    version = opened.verify(chosen)[0]
    said = opened.overrides(chosen)
    if as_json:
        _print_json(with_later_json(version.folder, str(version.stage), said))
        return
    target = out or Path("build") / f"version-{chosen}.html"
    with_later(version.folder, version.number, str(version.stage), said, target)
    typer.echo(f"model card of version {chosen} ({version.stage}): {target}")
