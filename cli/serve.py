"""`robo-poet serve`: run the model server and the gateway on this machine, with the champion of the registry."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import Profile, Set


def serve(
    profile: Profile = "local",
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The gateway's port; 0 takes a free one.")] = None,
    registry: Annotated[Path | None, typer.Option(help="Folder of the registry; else the profile's.")] = None,
    folder: Annotated[Path, typer.Option(help="Where keys, logs and the model server's files are kept.")] = Path(".serve"),
    set_: Set = [],  # noqa: B006  typer reads the default
) -> None:
    """Serve the champion on 127.0.0.1: a web page at /, and the API at /v1, described by /openapi.json. Ctrl-C stops it."""
    from pipelines.profile import load_profile
    from serving.local import serve_here

    settings = load_profile(profile, [*set_, *([] if port is None else [f"serve.port={port}"])]).profile
    serve_here(settings.serve, registry or Path(settings.local.registry), folder, typer.echo)
