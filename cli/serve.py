"""Gateway commands: `robo-poet serve` runs the gateway on this machine, `robo-poet keys` manages its API keys."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.profile import Profile, Set

if TYPE_CHECKING:
    from serving.access.api_keys import KeyStore, Made


def serve(
    profile: Profile = "local",
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The gateway's port; 0 takes a free one.")] = None,
    registry: Annotated[Path | None, typer.Option(help="Folder of the registry; else the profile's.")] = None,
    folder: Annotated[Path, typer.Option(help="Where keys, logs and the model server's files are kept.")] = Path(".serve"),
    set_: Set = [],  # noqa: B006  typer reads the default
) -> None:
    """Serve the champion on 127.0.0.1: a web page at /, and the API at /v1, described by /openapi.json. Ctrl-C stops it."""
    from pipelines.profile.load import load_profile
    from serving.local import serve_here

    settings = load_profile(profile, [*set_, *([] if port is None else [f"serve.port={port}"])]).profile
    serve_here(settings.serve, registry or Path(settings.local.registry), folder, typer.echo)


app = typer.Typer(help="API keys of the gateway: a running gateway knows of a change within a second.", no_args_is_help=True)
Folder = Annotated[Path, typer.Option("--folder", help="the gateway's folder of keys")]
Id = Annotated[str, typer.Argument(metavar="ID", help="the part of a key between rp_ and the second underscore")]
HOME = Path(".serve/keys")


def _store(folder: Path) -> KeyStore:
    from serving.access.api_keys import KeyStore

    return KeyStore(folder)


def _old(folder: Path) -> KeyStore:
    """Return the key store of an existing folder. A missing folder is an error, because its name is probably mistyped."""
    from robo_poet.errors import BadInput

    if not folder.is_dir():
        raise BadInput("no such folder of keys", where=str(folder), remedy="robo-poet keys create --user you makes one")
    return _store(folder)


def _tell(created: Made) -> None:
    typer.echo(created.text)
    typer.echo(
        f"key {created.key.id} of {created.key.user}, until {_day(created.key.expires)}; the line above is shown this once", err=True
    )


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(seconds)) + " UTC"


@app.command()
def create(
    user: Annotated[str, typer.Option(help="Whose it is: all keys and tokens of a user count together.")],
    scope: Annotated[list[str], typer.Option(help="generate, feedback, metrics or internal-load (repeatable).")] = ["generate", "feedback"],  # noqa: B006  typer reads the default
    days: Annotated[float, typer.Option(help="How long it is good.")] = 90,
    folder: Folder = HOME,
) -> None:
    """Create a key and print it. It is shown only once."""
    _tell(_store(folder).create(user, scope, days))


@app.command("list")
def list_keys(folder: Folder = HOME) -> None:
    """List all keys with user, scopes and expiry."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    keys = _old(folder).all()
    if not keys:
        typer.echo(f"{folder}: no keys; next: robo-poet keys create --user you")
        return
    table = Table("id", "user", "scopes", "until", "standing", box=SIMPLE_HEAD)
    table.columns[0].no_wrap = True
    now = time.time()
    for key in keys:
        standing = f"{key.standing(now)}{': ' if key.why else ''}{key.why}"
        row = (key.id, key.user, " ".join(sorted(key.scopes)), _day(key.expires), standing)
        table.add_row(*map(Text, row))
    Console().print(table)


@app.command()
def revoke(id_: Id, why: Annotated[str, typer.Option(help="The reason, which is kept.")], folder: Folder = HOME) -> None:
    """Revoke a key. A running gateway rejects it within a second."""
    store = _old(folder)
    before = store.key(id_)
    key = store.revoke(id_, why)
    if before.revoked is not None:
        typer.echo(f"key {key.id} of {key.user} was revoked before, and keeps the first reason: {key.why}")
    else:
        typer.echo(f"key {key.id} of {key.user} is revoked, and a running gateway refuses it within a second: {key.why}")


@app.command()
def rotate(
    id_: Id,
    overlap_days: Annotated[float, typer.Option(help="The old key stays good for so long.")] = 7,
    days: Annotated[float, typer.Option(help="How long the new one is good.")] = 90,
    folder: Folder = HOME,
) -> None:
    """Create a new key for the same user and scopes. The old key expires after the overlap."""
    _tell(_old(folder).rotate(id_, overlap_days, days))
