"""`robo-poet registry …`: list, verify and release model versions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from robo_poet.commands import command

if TYPE_CHECKING:
    from robo_poet.registry.registry import Registry
    from robo_poet.registry.version import Version

app = typer.Typer(
    help="List, verify and release model versions. Stages: candidate, canary, champion, archived, rejected.", no_args_is_help=True
)

Folder = Annotated[Path, typer.Option("--registry", help="Folder of the registry.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ModelName = Annotated[str, typer.Option("--model", "-m", help="Name of the model. Default: the only model of the registry.")]
Number = Annotated[str, typer.Argument(metavar="N", help="Number of the version, as in `robo-poet registry list`.")]
HOME = Path("registry")


def _number(text: str) -> int:
    from robo_poet.errors import BadInput

    if not (text.isascii() and text.isdigit()):
        raise BadInput(f"{text!r} is not a version number", remedy=f"{command('registry list')} shows the numbers")
    return int(text)


def _open(registry: Path, model: str) -> Registry:
    from robo_poet.registry.names import only_model
    from robo_poet.registry.registry import Registry

    return Registry(registry, only_model(registry, model))


def _open_all(registry: Path, model: str) -> list[Registry]:
    from robo_poet.registry.names import model_names
    from robo_poet.registry.registry import Registry

    return [_open(registry, model)] if model else [Registry(registry, name) for name in model_names(registry)]


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2))


def _print_empty(folder: Path) -> None:
    typer.echo(f"{folder}: the registry is empty; to train a model: {command('run')}")


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=SIMPLE_HEAD)
    for row in rows:
        table.add_row(*map(Text, row))  # Text, because a reason may contain square brackets, which rich reads as markup
    Console().print(table)


def _summary(version: Version) -> dict[str, Any]:
    return {"model": version.model, "version": version.number, "stage": str(version.stage), "why": version.why, "digest": version.digest}


@app.command("list")
def list_versions(
    registry: Folder = HOME,
    model: Annotated[str, typer.Option("--model", "-m", help="Name of a model. Default: all models.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the versions of all models, with their stage and the reason for it."""
    versions = [version for store in _open_all(registry, model) for version in store.versions()]
    if as_json:
        _print_json([_summary(version) for version in versions])
    elif versions:
        rows = [[version.model, str(version.number), version.stage, version.digest[:12], version.why] for version in versions]
        _print_table(["model", "version", "stage", "digest", "why"], rows)
    else:
        _print_empty(registry)


@app.command()
def show(number: Number, registry: Folder = HOME, model: ModelName = "", as_json: AsJson = False) -> None:
    """Show a version: metrics, gates, lineage (what it was made from), files and history."""
    from dataclasses import asdict

    from robo_poet.judges.metrics import metric_name, metric_text, ordered
    from robo_poet.report.gate_rows import HEAD, QUESTION_HEAD, gate_row, question_rows

    store = _open(registry, model)
    version = store.version(_number(number))
    manifest = version.manifest()
    statements = [entry.statement for entry in store.log() if entry.statement.version == version.number]
    if as_json:
        history = [asdict(statement) for statement in statements]
        _print_json({**_summary(version), "folder": str(version.folder), **asdict(manifest), "history": history})
        return
    typer.echo(f"{version.name} is {version.stage} ({version.why})\ndigest {version.digest}\nfolder {version.folder}")
    _print_table(["metric", "value"], [[metric_name(name), metric_text(name, value)] for name, value in ordered(manifest.metrics)])
    gates = manifest.decision.get("gates", [])
    _print_table(list(HEAD), [list(gate_row(gate).cells) for gate in gates])
    if questions := question_rows(gates):
        _print_table(list(QUESTION_HEAD), [list(row) for row in questions])
    lineage = [[name, json.dumps(value) if isinstance(value, dict) else str(value)] for name, value in manifest.lineage.items()]
    _print_table(["made from", ""], lineage)
    _print_table(["file", "SHA-256"], [[name, digest[:12]] for name, digest in manifest.files.items()])
    _print_table(
        ["time", "action", "who", "why"], [[statement.time, statement.action, statement.who, statement.why] for statement in statements]
    )


@app.command()
def verify(
    number: Annotated[str | None, typer.Argument(metavar="N", help="Number of a version. Default: all versions.")] = None,
    registry: Folder = HOME,
    model: Annotated[str, typer.Option("--model", "-m", help="Name of a model. Default: all models.")] = "",
    as_json: AsJson = False,
) -> None:
    """Compare every file with its registered SHA-256 digest. Stop at the first difference, with exit status 2."""
    from robo_poet.errors import BadInput

    stores = _open_all(registry, model) if number is None else [_open(registry, model)]
    checked = [version for store in stores for version in store.verify(None if number is None else _number(number))]
    for store in stores if number is None else []:
        if strays := store.unregistered_folders():
            raise BadInput(
                f"{len(strays)} version folder{'s' * (len(strays) > 1)} without an entry in the log, such as {strays[0]}",
                where=str(store.folder / "versions"),
                remedy="if a registration was killed, run the pipeline again; if the end of the log is lost, restore the log",
            )
    if as_json:
        _print_json({"verified": [{"model": version.model, "version": version.number} for version in checked]})
    elif checked:
        typer.echo(f"{registry}: the log and {len(checked)} version{'s' * (len(checked) > 1)} match what was registered")
    else:
        _print_empty(registry)


@app.command()
def log(registry: Folder = HOME, model: ModelName = "", as_json: AsJson = False) -> None:
    """Print all changes of the registry: when, by whom and why."""
    from dataclasses import asdict

    entries = _open(registry, model).log()
    if as_json:
        _print_json([{"index": entry.index, **asdict(entry.statement)} for entry in entries])
    elif entries:
        indexed = [(str(entry.index), entry.statement) for entry in entries]
        rows = [
            [index, statement.time[:19], statement.action, str(statement.version), statement.who, statement.why]
            for index, statement in indexed
        ]
        _print_table(["entry", "time (UTC)", "action", "version", "who", "why"], rows)
    else:
        _print_empty(registry)


Why = Annotated[str, typer.Option("--why", help="Reason, which is written to the log.")]


@app.command()
def promote(number: Number, why: Why, registry: Folder = HOME, model: ModelName = "") -> None:
    """Make a version the champion, which serves all users.

    The version must be the canary, the first candidate of the registry, or a
    former champion (rollback). Its files are verified first. A running gateway
    loads the new champion within seconds.

    Example: `robo-poet registry promote 3 --why "canary week without complaints"`
    """
    from robo_poet.process import user_name

    store = _open(registry, model)
    store.verify(_number(number))  # never serve files that differ from what was registered
    version = store.promote(_number(number), who=user_name(), why=why)
    typer.echo(f"{version.name} is {version.stage}")


@app.command()
def archive(number: Number, why: Why, registry: Folder = HOME, model: ModelName = "") -> None:
    """Archive a candidate or the canary, so that it is no longer offered for release."""
    from robo_poet.process import user_name

    version = _open(registry, model).archive(_number(number), who=user_name(), why=why)
    typer.echo(f"{version.name} is {version.stage}")


@app.command()
def purge(number: Number, why: Why, registry: Folder = HOME, model: ModelName = "") -> None:
    """Remove the files of an archived or rejected version from the disk. The log keeps its history.

    The champion, the canary and the last champion before the present one are
    never purged.

    Example: `robo-poet registry purge 2 --why "disk space"`
    """
    from robo_poet.process import user_name

    store = _open(registry, model)
    freed = store.purge(_number(number), who=user_name(), why=why)
    typer.echo(f"{store.model}/{number} is purged; freed {freed / 1e6:.1f} MB")


@app.command()
def start_canary(number: Number, why: Why, registry: Folder = HOME, model: ModelName = "") -> None:
    """Make a candidate the canary, which serves a share of the users.

    The share is the setting serve.canary_share of the gateway (default 0).

    Example: `robo-poet registry start-canary 3 --why "lower perplexity"`
    """
    from robo_poet.process import user_name

    store = _open(registry, model)
    store.verify(_number(number))
    version = store.start_canary(_number(number), who=user_name(), why=why)
    typer.echo(f"{version.name} is {version.stage}; to let it serve 10 % of the users (the default is 0 %):")
    typer.echo(f"  {command(f'serve --model {version.model} --set serve.canary_share=0.1')}   (or set serve.canary_share in a profile)")


@app.command()
def override(
    number: Number,
    why: Why,
    name: Annotated[str, typer.Option("--name", help="Your name. You are responsible for the override.")],
    registry: Folder = HOME,
    model: ModelName = "",
) -> None:
    """Override the gates: make a rejected version a candidate.

    The log and the model card of the version keep your name and reason
    permanently.
    """
    from robo_poet.errors import BadInput
    from robo_poet.process import user_name

    store = _open(registry, model)
    if store.verify(_number(number))[0].manifest().metrics.get("secrets_planted"):
        raise BadInput(
            "its training text contains planted canary strings; such a version is only for measuring memorisation and cannot be released",
            where=f"{store.model}/{number}",
        )
    version = store.override(_number(number), who=f"{name.strip()} ({user_name()})" if name.strip() else "", why=why)
    following = command(f"registry start-canary {version.number} --model {version.model} --why 'your reason'")
    typer.echo(f"{version.name} is {version.stage}; next: {following}")


@app.command()
def adopt(
    registry: Folder = HOME,
    model: Annotated[str, typer.Option("--model", "-m", help="Name that the versions of the old registry get.")] = "",
    source: Annotated[str, typer.Option(help="Address of their corpus, as in CORPUS=. Default: the bundled corpora.")] = "",
) -> None:
    """Take over a registry of an earlier release, which had one model without a name.

    The history becomes the log of the model. Numbers, digests and files of the
    versions stay. The old log is kept in the model's folder.

    Example: `robo-poet registry adopt --model shakespeare`
    """
    from robo_poet.process import user_name
    from robo_poet.registry.adoption import adopt as adopt_registry
    from robo_poet.registry.names import BUNDLED, BUNDLED_SOURCE

    name = model or BUNDLED
    count = adopt_registry(registry, name, source=source or BUNDLED_SOURCE, who=user_name())
    typer.echo(f"{registry}: {count} version{'s' * (count != 1)} now belong to the model {name}")


@app.command()
def card(
    number: Number,
    registry: Folder = HOME,
    model: ModelName = "",
    out: Annotated[Path | None, typer.Option("--out", help="HTML file to write. Default: build/MODEL-N.html.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the model card of a version as HTML, with its current stage and all overrides."""
    from robo_poet.report.registered_card import card_with_overrides, write_card_with_overrides

    store, version_number = _open(registry, model), _number(number)
    version = store.verify(version_number)[0]
    overrides = store.overrides(version_number)
    if as_json:
        _print_json(card_with_overrides(version.folder, str(version.stage), overrides))
        return
    target = out or Path("build") / f"{version.model}-{version_number}.html"
    registered = store.registered_on(version_number)
    write_card_with_overrides(version.folder, version.number, str(version.stage), overrides, target, registered=registered)
    typer.echo(f"model card of {version.name} ({version.stage}): {target}")
