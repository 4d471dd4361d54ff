"""Gateway commands: `robo-poet serve` runs the gateway on this machine, `robo-poet keys` manages its API keys."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.profile import Model, Profile, Set
from cli.registry.opening import repeat_registry
from robo_poet.commands import command
from robo_poet.local_folder import is_bucket, local_path, registry_address

if TYPE_CHECKING:
    from serving.access.api_keys import CreatedKey, KeyStore


def serve(
    context: typer.Context,
    profile: Profile = "local",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of the gateway; 0 takes a free one. Default: serve.port (8080).")
    ] = None,
    model: Model = "",
    registry: Annotated[
        str | None,
        typer.Option(help="Folder of the registry, or gs://bucket/prefix. Default: local.registry."),
    ] = None,
    folder: Annotated[Path, typer.Option(help="Folder for keys, logs and the files of the model server.", callback=local_path)] = Path(
        ".serve"
    ),
    set_: Set = [],  # noqa: B006  typer reads the default
) -> None:
    """Serve the champion on this machine: a web page, an HTTP API and metrics. Ctrl-C stops it.

    Starts a model server, the gateway and the canary controller, creates an API
    key and prints it. With
    the default settings, the web page is at http://127.0.0.1:8080/, its API under
    /v1, and the description of the API at /docs and /openapi.json. The running
    gateway loads a new champion from the registry by itself.

    Example: `robo-poet serve --port 9000 --set serve.look_seconds=1`
    """
    from pipelines.profile.load import load_profile
    from robo_poet.permissions import warnings
    from robo_poet.registry.names import only_model
    from serving.local import serve_here

    settings = load_profile(profile, [*set_, *([] if port is None else [f"serve.port={port}"])]).profile
    address = registry_address(registry or settings.local.registry)
    repeat_registry(context, address)
    for line in warnings([] if is_bucket(address) else [("registry", Path(address))]):
        typer.echo(f"warning: {line}", err=True)
    served = settings.serve.model_copy(update={"model": only_model(address, model)})
    serve_here(served, address, folder, typer.echo, settings.canary)


app = typer.Typer(
    help="Create, list, revoke and rotate the API keys of the gateway. A running gateway applies a change within a second.",
    no_args_is_help=True,
)
Folder = Annotated[Path, typer.Option("--folder", help="Key folder of the gateway.", callback=local_path)]
Id = Annotated[str, typer.Argument(metavar="ID", help="ID of the key: the part between rp_ and the second underscore.")]
Scopes = Annotated[list[str], typer.Option(help="Permission: generate, feedback, metrics, end-users or internal-load (repeatable).")]
HOME = Path(".serve/keys")


def _store(folder: Path) -> KeyStore:
    from serving.access.api_keys import KeyStore

    return KeyStore(folder)


def _existing_store(folder: Path) -> KeyStore:
    """Return the key store of an existing folder. A missing folder is an error, because its name is probably mistyped."""
    from robo_poet.errors import BadInput

    if not folder.is_dir():
        raise BadInput("no such key folder", where=str(folder), remedy=f"create a first key: {command('keys create --user NAME')}")
    return _store(folder)


def _print_key(created: CreatedKey) -> None:
    """Print the key on standard output, so that a script can read it, and the rest on standard error."""
    typer.echo(created.text)
    typer.echo(
        f"key {created.key.id} of {created.key.user}, valid until {_utc_time(created.key.expires)}; "
        "copy the line above now, it is not shown again",
        err=True,
    )


def _utc_time(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(seconds)) + " UTC"


@app.command()
def create(
    user: Annotated[str, typer.Option(help="User of the key. The rate limit counts all keys and tokens of a user together.")],
    scope: Scopes = ["generate", "feedback"],  # noqa: B006  typer reads the default
    days: Annotated[float, typer.Option(help="Lifetime in days, at most 3650.")] = 90,
    consent: Annotated[
        str, typer.Option(help="Prompts that may become training text: no; user: of the user; readers: of all readers of an application.")
    ] = "no",
    folder: Folder = HOME,
) -> None:
    """Create a key and print it. The key is shown only once; the folder has only its hash.

    With `--consent user`, the user agrees that models are trained on the user's
    prompts, without personal data. Completions are never used.

    Example: `robo-poet keys create --user prometheus --scope metrics --days 365`
    """
    from robo_poet.errors import BadInput
    from serving.access.caller import Consent

    if consent not in list(Consent):
        raise BadInput("not a consent", where=f"--consent {consent[:100]}", remedy=f"give {', '.join(Consent)}")
    _print_key(_store(folder).create(user, scope, days, Consent(consent)))


@app.command("list")
def list_keys(folder: Folder = HOME) -> None:
    """List all keys with user, scopes, consent to training, expiry (UTC) and status."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    keys = _existing_store(folder).read_all()
    if not keys:
        typer.echo(f"{folder}: no keys; to create one: {command('keys create --user NAME')}")
        return
    table = Table("ID", "user", "scopes", "consent", "valid until", "status", box=SIMPLE_HEAD)
    table.columns[0].no_wrap = True
    now = time.time()
    for key in keys:
        status = f"{key.status(now)}{': ' if key.why else ''}{key.why}"
        row = (
            key.id,
            key.user,
            " ".join(sorted(key.scopes)),
            "withdrawn" if key.withdrawn else str(key.consent),
            _utc_time(key.expires),
            status,
        )
        table.add_row(*map(Text, row))
    Console().print(table)


@app.command()
def revoke(id_: Id, why: Annotated[str, typer.Option(help="Reason, which `keys list` shows.")], folder: Folder = HOME) -> None:
    """Revoke a key permanently. A running gateway rejects it within a second."""
    store = _existing_store(folder)
    before = store.key(id_)
    key = store.revoke(id_, why)
    if before.revoked is not None:
        typer.echo(f"key {key.id} of {key.user} was already revoked; it keeps the first reason: {key.why}")
    else:
        typer.echo(f"key {key.id} of {key.user} is revoked ({key.why}); a running gateway rejects it within a second")


@app.command()
def withdraw(id_: Id, folder: Folder = HOME) -> None:
    """Withdraw the consent to training of a user: of this key and of all other keys of its user.

    The keys stay valid. From now on, `robo-poet requests corpus` leaves out all
    prompts that were sent with these keys, also the earlier ones. To consent
    again, create a new key.
    """
    store = _existing_store(folder)
    user, withdrawn = store.key(id_).user, store.withdraw(id_)
    if withdrawn:
        keys = f"{len(withdrawn)} key{'s' * (len(withdrawn) != 1)}"
        from cli.requests import print_removed_live_text

        typer.echo(f"the consent of {user} is withdrawn ({keys}); no corpus gets a prompt of these keys any more")
        print_removed_live_text(folder.resolve().parent)
    else:
        typer.echo(f"no key of {user} has a consent; nothing was changed")


@app.command()
def rotate(
    id_: Id,
    overlap_days: Annotated[float, typer.Option(help="Days for which the old key stays valid, 0 to 365.")] = 7,
    days: Annotated[float, typer.Option(help="Lifetime of the new key in days, at most 3650.")] = 90,
    folder: Folder = HOME,
) -> None:
    """Replace a key: create a new one for the same user, scopes and consent, and print it.

    The old key expires after the overlap.
    """
    _print_key(_existing_store(folder).rotate(id_, overlap_days, days))
