"""Options that the commands of `robo-poet registry` share, and the version that an argument names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from robo_poet.commands import command, repeated_option
from robo_poet.local_folder import absolute_address, registry_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from robo_poet.registry.registry import Registry
    from robo_poet.registry.versions.version import Version
    from robo_poet.report.measured import Measured

HOME = "registry"
REGISTRY = "--registry"


def registry_option(context: typer.Context, value: str) -> str:
    """Return the registry that an option names; a callback for typer. Raises `BadInput`, see `registry_address`."""
    address = registry_address(value)
    repeat_registry(context, address)
    return address


def repeat_registry(context: typer.Context, address: str) -> None:
    """Let the commands that messages suggest name this registry, until this command ends, unless it is the default."""
    if address != HOME:
        root: Any = context.find_root().command
        context.with_resource(repeated_option(REGISTRY, address, lambda words: _takes_registry(root, words)))


def _takes_registry(command: Any, words: str) -> bool:
    """Return True if the command with these words, below the group `command`, has the option."""
    for word in words.split():
        command = getattr(command, "commands", {}).get(word)
        if command is None:
            return False
        if not hasattr(command, "commands"):
            break
    return any(REGISTRY in parameter.opts for parameter in command.params)


Folder = Annotated[str, typer.Option(REGISTRY, help="Folder of the registry, or gs://bucket/prefix.", callback=registry_option)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ModelName = Annotated[str, typer.Option("--model", "-m", help="Name of the model. Default: the only model of the registry.")]
AnyModel = Annotated[str, typer.Option("--model", "-m", help="Name of a model. Default: all models.")]
Number = Annotated[str, typer.Argument(metavar="N", help="Number of the version, or MODEL/N, as in `robo-poet registry list`.")]
Why = Annotated[str, typer.Option("--why", help="Reason, which is written to the log.")]


def open_registry(registry: str, model: str, trusted: Sequence[str] = ()) -> Registry:
    """Return the registry of a model; of the only model if `model` is empty.

    Args:
        trusted: `serve.trusted_keys` of the profile, for commands that have one. Empty: the keys of the environment, or of the user.

    Raises:
        BadInput: there is no such model, or there are several models and none is named.
    """
    from robo_poet.registry.names import only_model
    from robo_poet.registry.registry import Registry
    from robo_poet.registry.trust.trust import Trust

    return Registry(registry, only_model(registry, model), Trust(trusted))


def open_trained(registry: str, model: str, trusted: Sequence[str] = ()) -> Registry:
    """Return the registry of a model as `open_registry` does, for a command that needs a trained model.

    Raises:
        BadInput: see `open_registry`; or the registry is empty.
    """
    from robo_poet.errors import BadInput
    from robo_poet.registry.names import model_names

    if not model_names(registry):
        raise BadInput("the registry is empty", where=registry, remedy=f"to train a model: {command('run')}")
    return open_registry(registry, model, trusted)


def open_all(registry: str, model: str) -> list[Registry]:
    """Return the registries of all models, or of `model` if it is not empty."""
    from robo_poet.registry.names import model_names
    from robo_poet.registry.registry import Registry

    return [open_registry(registry, model)] if model else [Registry(registry, name) for name in model_names(registry)]


def open_version(registry: str, model: str, text: str) -> tuple[Registry, int]:
    """Return the registry and the number of the version that `text` names: `3`, or `poems/3`.

    Raises:
        BadInput: not a number, another model than `--model`, or no such model. That the version exists is not checked.
    """
    from robo_poet.errors import BadInput

    named, _, number = text.rpartition("/")
    if not (number.isascii() and number.isdigit()):
        raise BadInput(f"{text!r} is not a version number", remedy=f"{command('registry list')} shows the numbers")
    if named and model and named != model:
        raise BadInput(f"two models are named: {named} and {model}", where=text, remedy="leave out --model")
    return open_registry(registry, named or model), int(number)


def registration_times(store: Registry) -> dict[int, str]:
    """Return the time of registration of each version, UTC, ISO 8601."""
    return {entry.statement.version: entry.statement.time for entry in store.log() if entry.statement.action == "register"}


def read_measured(store: Registry, version: Version, registered: str) -> Measured:
    """Return a version with its measurements, as the latest decision of the gates judged them. A purged version has none.

    Args:
        registered: time of its registration.

    Raises:
        Corrupt: the manifest is missing or changed.
    """
    from dataclasses import asdict

    from robo_poet.report.measured import measured_version

    manifest: dict[str, Any] = {} if version.purged else asdict(version.manifest())
    if manifest and store.state().record(version.number).decision:
        decision = store.decision(version.number)
        manifest |= {"metrics": decision.pop("metrics"), "decision": decision}
    path = version.folder / "card.json" if version.purged else version.fetch(["card.json"]) / "card.json"
    card = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return measured_version(manifest, card, model=version.model, number=version.number, stage=str(version.stage), date=registered)


def measured_versions(stores: list[Registry]) -> Iterator[tuple[Version, Measured | None, str]]:
    """Yield each version with its measurements. If they cannot be read, yield None and the reason."""
    from robo_poet.errors import BadInput

    for store in stores:
        times = registration_times(store)
        for version in store.versions():
            try:
                yield version, read_measured(store, version, times[version.number]), ""
            except BadInput as error:
                yield version, None, str(error)


def print_json(value: Any) -> None:
    """Print a JSON value."""
    typer.echo(json.dumps(value, indent=2))


def print_empty(registry: str) -> None:
    """Say that the registry is empty, and name the next command."""
    shown, other = absolute_address(registry), "--registry FOLDER"
    typer.echo(f"{shown}: the registry is empty; to train a model: {command('run')}; to open another one: {other}")
