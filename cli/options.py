"""Command line options that several commands share."""

from typing import Annotated

import typer

Profile = Annotated[str, typer.Option("--profile", "-p", help="A profile's name, or the path of a .yaml file.")]
Set = Annotated[list[str], typer.Option("--set", "-s", help="Override a setting: --set train.learning_rate=3e-4 (repeatable).")]
