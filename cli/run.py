"""`robo-poet run`: the training pipeline on this machine, from a corpus to a registered version."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.options import Profile, Set


class RunnerName(StrEnum):
    """Where the steps run."""

    process = "process"


def run(
    profile: Profile = "local",
    corpus: Annotated[str, typer.Option(help="Your own text: folder, .txt, .md, .jsonl, .csv, .parquet or gs://…; else bundled.")] = "",
    runner: Annotated[RunnerName, typer.Option(help="Where the steps run.")] = RunnerName.process,
    set_: Set = [],  # noqa: B006  typer reads the default
    explain: Annotated[bool, typer.Option("--explain", help="Say why each step would run or not, and run nothing.")] = False,
) -> None:
    """Train, evaluate, gate and register a model; finished steps are kept, a killed training goes on where it stopped."""
    from rich.console import Console

    from cli.scorecard import scorecard
    from pipelines.code_digest import ROOT
    from pipelines.environments import interpreter
    from pipelines.local import explain_here, train_here
    from pipelines.profile import load_profile
    from pipelines.run.display import display_on
    from pipelines.run.process import ProcessRunner

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 1000  # a log has no edge to wrap at
    chosen = load_profile(profile, set_).profile
    source = corpus if not corpus or corpus.startswith("gs://") else str(Path(corpus).expanduser().resolve())
    if explain:
        for verdict in explain_here(chosen, source):
            console.print(f"{verdict.display:22} {verdict}")
        return
    with display_on(console) as listener:
        result, outcome = train_here(chosen, source, ProcessRunner(ROOT, interpreter), listener)
    console.print(scorecard(result, outcome))
    sys.exit(result.exit_status)
