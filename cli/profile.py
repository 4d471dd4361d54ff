"""Profiles: the options --profile and --set of many commands, and `robo-poet profile`, which lists and shows profiles."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipelines.profile.load import Effective
    from pipelines.suggestion.advice import Advice

Profile = Annotated[str, typer.Option("--profile", "-p", help="Name of a profile (see `robo-poet profile list`), or path of a .yaml file.")]
Set = Annotated[list[str], typer.Option("--set", "-s", help="Override a setting: --set train.learning_rate=3e-4 (repeatable).")]
Model = Annotated[str, typer.Option("--model", "-m", help="Name of the model in the registry. Default: its only model.")]


def absolute_source(corpus: str) -> str:
    """Return the address of a corpus for a run: an absolute path, or a `gs://` address unchanged; empty for the bundled corpora.

    Raises:
        BadInput: the address has another scheme, such as s3://, or has a NUL.
    """
    from robo_poet.corpus.source_files import is_bucket
    from robo_poet.errors import BadInput

    if "\0" in corpus:
        raise BadInput("a path has no NUL", where="CORPUS", remedy="give an existing path")
    return corpus if not corpus or is_bucket(corpus) else os.path.realpath(Path(corpus).expanduser())  # `resolve` fails on a link to itself


def profile_for(profile: str, overrides: list[str], corpus: str, *, write: bool = True) -> "tuple[Effective, Advice | None]":
    """Return the profile for a corpus. For `auto`, describe the corpus and return the advice, too.

    Args:
        corpus: see `absolute_source`.
        write: keep the profile that `auto` suggests in the store.

    Raises:
        BadInput: the profile or the corpus cannot be used.
    """
    from pipelines.profile.load import load_profile
    from pipelines.suggestion.advice import AUTO, advise, auto_path, write_auto
    from robo_poet.errors import BadInput

    if profile != AUTO:
        return load_profile(profile, overrides), None
    local = load_profile(profile, overrides).profile.local
    advice = advise(corpus, profile, overrides)
    if not advice.text:
        raise BadInput(advice.warnings[0], where=corpus or advice.corpus)
    if write:
        return load_profile(str(write_auto(advice, Path(local.store)).resolve()), overrides), advice
    return load_profile(str(auto_path(advice, Path(local.store)).resolve()), overrides, text=advice.text), advice


app = typer.Typer(no_args_is_help=True, help="List and show profiles: YAML files with the settings of all steps, gates and serving.")


@app.command("list")
def list_profiles() -> None:
    """List the bundled profiles and what they are for."""
    from pipelines.profile.load import available, load_profile

    for name in available():
        typer.echo(f"{name:10} {load_profile(name).profile.description}")


@app.command()
def show(
    profile: Profile = "local",
    set_: Set = [],  # noqa: B006  typer reads the default
    corpus: Annotated[str, typer.Option(help="With --profile auto: the corpus that decides the settings.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the settings as JSON.")] = False,
) -> None:
    """Print every setting and gate with its value and the origin of the value.

    The origin is the default, a profile file or `--set`.
    docs/reference/settings.md describes the settings.

    Example: `robo-poet profile show --profile rtx --set train.epochs=2`
    """
    from rich.console import Console
    from rich.table import Table

    from robo_poet.report.gate_rows import gate_name

    effective, _ = profile_for(profile, set_, absolute_source(corpus), write=False)
    values = effective.profile.model_dump(mode="json")
    if as_json:
        typer.echo(json.dumps(values, indent=1))
        return
    gates = Table("gate", "bound", "if unknown", "from", box=None, pad_edge=False, title="\nGates", title_justify="left")
    for placed in effective.gates:
        name = gate_name(placed.gate.metric, placed.gate.slice, placed.gate.against)
        bound = f"not used: {placed.dropped}" if placed.dropped else placed.gate.bound
        by = f" ({placed.unknown_origin})" if placed.unknown_origin else ""
        unknown = "" if placed.dropped else f"{placed.gate.on_unknown}{by}"
        gates.add_row(f"{name} ({placed.gate.metric})", bound, unknown, placed.origin, style="dim" if placed.dropped else "")
    table = Table("setting", "value", "from", box=None, pad_edge=False)
    table.columns[0].no_wrap = False
    table.columns[0].overflow = "fold"
    for key, origin in effective.origins.items():
        value = values
        for part in key.split("."):
            value = value[part]
        style = "dim" if origin == "default" else "bold"
        table.add_row(key, str(value), origin, style=style)
    console = Console()
    if not console.is_terminal:
        console.width = 1000  # print keys in full, so that they can be copied to --set
    console.print(table)
    console.print(gates)
