"""Commands of `robo-poet registry` that change the stage of a version, and those that remove files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.registry.opening import HOME, Folder, ModelName, Number, Why, open_version
from robo_poet.commands import command

if TYPE_CHECKING:
    from robo_poet.registry.versions.version import Version


def promote(number: Number, why: Why, registry: Folder = HOME, model: ModelName = "") -> None:
    """Make a version the champion, which serves all users.

    The version must be the canary, the first candidate of the registry, or a
    former champion (rollback). Its files are verified first. A running gateway
    loads the new champion within seconds.

    Example: `robo-poet registry promote 3 --why "canary week without complaints"`
    """
    from robo_poet.process import user_name

    store, version_number = open_version(registry, model, number)
    version = store.promote(version_number, who=user_name(), why=why)
    typer.echo(f"{version.name} is {version.stage}")


def archive(number: Number, why: Why, registry: Folder = HOME, model: ModelName = "") -> None:
    """Archive a candidate or the canary, so that it is no longer offered for release."""
    from robo_poet.process import user_name

    store, version_number = open_version(registry, model, number)
    version = store.archive(version_number, who=user_name(), why=why)
    typer.echo(f"{version.name} is {version.stage}")


def purge(number: Number, why: Why, registry: Folder = HOME, model: ModelName = "") -> None:
    """Remove the files of an archived or rejected version from the disk. The log keeps its history.

    The champion, the canary and the last champion before the present one are
    never purged.

    Example: `robo-poet registry purge 2 --why "disk space"`
    """
    from robo_poet.process import user_name

    store, version_number = open_version(registry, model, number)
    freed = store.purge(version_number, who=user_name(), why=why)
    typer.echo(f"{store.model}/{version_number} is purged; freed {freed / 1e6:.1f} MB")


def start_canary(number: Number, why: Why, registry: Folder = HOME, model: ModelName = "") -> None:
    """Make a candidate the canary. It serves no user before the first step of its ramp.

    Example: `robo-poet registry start-canary 3 --why "lower perplexity"`
    """
    from robo_poet.process import user_name

    store, version_number = open_version(registry, model, number)
    version = store.start_canary(version_number, who=user_name(), why=why)
    share = command(f"registry set-share {version.number} --model {version.model} --share 0.1 --why 'your reason'")
    typer.echo(f"{version.name} is {version.stage} and serves 0 % of the users; for 10 %: {share}")


def set_share(
    number: Number,
    share: Annotated[float, typer.Option(help="Share of the users that the canary serves, more than 0 and less than 1.")],
    why: Why,
    registry: Folder = HOME,
    model: ModelName = "",
) -> None:
    """Let the canary serve a share of the users, as the next step of its ramp.

    Running gateways apply it within seconds. Users who already get the canary
    keep getting it if the share grows.

    Example: `robo-poet registry set-share 3 --share 0.1 --why "your reason"`
    """
    from robo_poet.process import user_name

    store, version_number = open_version(registry, model, number)
    seen = store.state()
    version = store.set_share(version_number, seen.canary_step + 1, share, who=user_name(), why=why, seen=seen)
    typer.echo(f"{version.name} is {version.stage} and serves {100 * share:.3g} % of the users")


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
    from robo_poet.process import user_name

    store, version_number = open_version(registry, model, number)
    refuse_planted(store.verify(version_number)[0])
    version = store.override(version_number, who=f"{name.strip()} ({user_name()})" if name.strip() else "", why=why)
    following = command(f"registry start-canary {version.number} --model {version.model} --why 'your reason'")
    typer.echo(f"{version.name} is {version.stage}; next: {following}")


def refuse_planted(version: Version) -> None:
    """Raise BadInput if the training text of a version contains planted canary strings."""
    from robo_poet.errors import BadInput

    if version.manifest().metrics.get("secrets_planted"):
        raise BadInput(
            "its training text contains planted canary strings; such a version is only for measuring memorisation and cannot be released",
            where=version.name,
        )
