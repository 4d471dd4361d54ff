"""`robo-poet compile`: compile the training pipeline for Kubeflow Pipelines."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import Profile, Set


def compile(
    profile: Profile = "rtx",
    set_: Set = [],  # noqa: B006  typer reads the default
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write the IR YAML.")] = Path("build/pipelines/training.yaml"),
) -> None:
    """Compile the training pipeline to IR YAML for Kubeflow Pipelines."""
    from pipelines.compile import compile_training
    from pipelines.profile import load_profile

    compile_training(load_profile(profile, set_).profile, output)
    typer.echo(f"wrote {output} ({output.stat().st_size / 1e3:.0f} kB, profile {profile})")
