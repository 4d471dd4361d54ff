"""Commands of `robo-poet registry` about signatures: take over or copy a registry, accept another head, print the public key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.registry.opening import HOME, AsJson, Folder, ModelName, Why, open_registry, print_json
from robo_poet.local_folder import local_path


def adopt(
    why: Why,
    name: Annotated[str, typer.Option("--name", help="Your name. You are responsible for what the old log says.")],
    registry: Annotated[Path, typer.Option("--registry", help="Folder of the registry.", callback=local_path)] = Path(HOME),
    model: Annotated[str, typer.Option("--model", "-m", help="Name of the model, also for the versions of a registry without names.")] = "",
    source: Annotated[str, typer.Option(help="Address of the corpus of a model without a name. Default: the bundled corpora.")] = "",
) -> None:
    """Take over a registry of an earlier release: without signatures, or with one model without a name.

    One signed entry of the log stands for all entries before it. It has your
    name and reason, and a signed attestation of each version. Numbers, digests
    and files of the versions stay.

    Example: `robo-poet registry adopt --model shakespeare --name Grace --why "written by release 1.0"`
    """
    from robo_poet.errors import BadInput
    from robo_poet.process import user_name
    from robo_poet.registry.adoption import adopt as adopt_registry
    from robo_poet.registry.names import BUNDLED_SOURCE, has_old_form, only_model

    if not name.strip():
        raise BadInput("the name is empty", where="--name", remedy="give the name of the person who is responsible")
    chosen = model or ("" if has_old_form(registry) else only_model(registry, ""))
    who = f"{name.strip()} ({user_name()})"
    count, damaged = adopt_registry(registry, chosen or "shakespeare", source=source or BUNDLED_SOURCE, who=who, why=why)
    typer.echo(f"{registry}: {count} version{'s' * (count != 1)} now belong to the model {chosen or 'shakespeare'}, signed with your key")
    for number in damaged:
        typer.echo(f"warning: the files of version {number} differ from what was registered; it is not attested and cannot be released")


def accept_head(registry: Folder = HOME, model: ModelName = "") -> None:
    """Accept the log as it is now, although it is shorter than before or another one, for example after you restored a backup.

    Every user who reads the registry decides this for themselves. The log
    itself does not change, and its entries must be signed by trusted keys.

    Example: `robo-poet registry accept-head --model poems`
    """
    store = open_registry(registry, model)
    count = store.signed_log.accept_head()
    typer.echo(f"{store.address}: accepted the log with {count} {'entry' if count == 1 else 'entries'}")


def key(
    pem: Annotated[bool, typer.Option("--pem", help="Print it as PEM, for `model_signing verify key --public_key`.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print your public key, which signs your changes of registries. The first use makes the key.

    Others who trust it add the line to their file of trusted keys, or to the
    setting `ROBO_POET_TRUSTED_KEYS`. Messages about an unknown key name its id.
    """
    from robo_poet.process import user_name
    from robo_poet.registry.trust.trust import Trust

    trust = Trust()
    public = trust.signer().public
    if as_json:
        print_json({"id": public.id, "key": public.text, "file": str(trust.key_file), "trusted": sorted(trust.keys())})
    else:
        typer.echo(public.pem.rstrip() if pem else f"{public.text} {user_name()} id={public.id[:12]}")


def copy(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Folder of a registry, or gs://bucket/prefix.")],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Folder or gs://bucket/prefix; empty, or an earlier copy.")],
    model: Annotated[str, typer.Option("--model", "-m", help="Name of a model. Default: all models.")] = "",
) -> None:
    """Copy a registry between folders and buckets, byte for byte.

    The source is verified. A repeated copy adds what is new. Versions are
    copied before the log entries, so that an interrupted copy can be repeated.

    Example: `robo-poet registry copy registry copy-of-registry`
    """
    from robo_poet.errors import BadInput
    from robo_poet.registry.copying import copy as copy_model
    from robo_poet.registry.copying import models, open_files
    from robo_poet.registry.names import check_name
    from robo_poet.registry.trust.trust import Trust

    origin, destination, trust = open_files(source), open_files(target), Trust()
    names = [check_name(model)] if model else models(origin)
    if not names:
        raise BadInput("there is no registry", where=source, remedy="give the folder or the address of a registry")
    for name in names:
        copied = copy_model(origin, destination, name, trust)
        typer.echo(f"{destination.address}/{name}: {copied.versions} versions, {copied.appended} of {copied.entries} log entries are new")
