"""Build commands: `robo-poet compile` writes the IR YAML of the pipeline, `robo-poet images` builds the container images."""

from pathlib import Path
from typing import Annotated

import typer

from cli.profile import Profile, Set
from robo_poet.local_folder import local_path


def compile(
    profile: Profile = "rtx",
    set_: Set = [],  # noqa: B006  typer reads the default
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.", callback=local_path)] = Path(
        "build/pipelines/training.yaml"
    ),
) -> None:
    """Compile the training pipeline to IR YAML, which Kubeflow Pipelines can run.

    `robo-poet cluster submit` compiles and uploads the pipeline in one step.
    """
    from pipelines.compile import compile_training
    from pipelines.profile.load import load_profile

    compile_training(load_profile(profile, set_).profile, output)
    typer.echo(f"wrote {output} ({output.stat().st_size / 1e3:.0f} kB, profile {profile})")


def images(
    profile: Profile = "local",
    base: Annotated[
        str,
        typer.Option(
            envvar="BASE_IMAGE", help="Base image. Default: python:3.11-slim by digest, else the image that infra/images/base.sh built."
        ),
    ] = "",
    unpinned_base: Annotated[bool, typer.Option("--unpinned-base", help="Allow a tag as base image of images for a cluster.")] = False,
    set_: Set = [],  # noqa: B006  typer reads the default
) -> None:
    """Build the Docker images of the steps and of the serving programs.

    `robo-poet run --runner docker` and a Kubeflow cluster need them. Unchanged
    images are not built again. Prints the size of each image in MB above its
    base.
    """
    from rich.console import Console
    from rich.table import Table

    from pipelines.images.build import check_pinned, make_images
    from pipelines.images.programs import SERVING
    from pipelines.placement import Placement
    from pipelines.profile.load import load_profile
    from pipelines.steps import GROUPS

    console = Console(highlight=False)
    console.width = max(console.width, 110)  # wide enough to print image tags in full
    loaded = load_profile(profile, set_).profile
    cluster, placement = loaded.cluster, Placement(loaded.cluster, loaded.beam)
    if cluster.image_prefix != type(cluster).model_fields["image_prefix"].default and not unpinned_base:  # images that are pushed
        check_pinned(base)
    groups = {step: placement.group(step) for step in GROUPS} | {name: program.group for name, program in SERVING.items()}
    results = make_images(groups, prefix=cluster.image_prefix, base=base, say=lambda name: console.print(f"building {name}"))
    table = Table("image", "environment", "MB above base", "state", "seconds", box=None, pad_edge=False)
    for column in (2, 4):
        table.columns[column].justify = "right"
    for image in results:
        table.add_row(image.image, image.group, f"{image.size / 1e6:.0f}", image.state, f"{image.seconds:.1f}")
    console.print(table)
    console.print("software bills of materials (SBOM, CycloneDX): build/sbom/")
