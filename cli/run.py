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
    from pipelines.compile import compile_training, run_parameters
    from pipelines.environments import interpreter
    from pipelines.outcome import conclude
    from pipelines.profile import load_profile
    from pipelines.run.display import display_on
    from pipelines.run.executor import run_pipeline
    from pipelines.run.explain import explain as explain_run
    from pipelines.run.process import ProcessRunner

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 160  # a log has no edge to wrap at
    chosen = load_profile(profile, set_).profile
    source = corpus if not corpus or corpus.startswith("gs://") else str(Path(corpus).expanduser().resolve())
    parameters = run_parameters(chosen, source=source, registry=str(Path(chosen.local.registry).resolve()))
    store, runs = Path(chosen.local.store), Path(chosen.local.runs)
    ir = store / "training.yaml"
    compile_training(chosen, ir)
    if explain:
        for verdict in explain_run(ir, parameters, store=store):
            console.print(f"{verdict.display:22} {verdict}")
        return
    with display_on(console) as listener:
        result = run_pipeline(
            ir, parameters, store=store, runs=runs, runner=ProcessRunner(ROOT, interpreter), listeners=[listener],
            max_parallel=chosen.local.parallel,
        )  # fmt: skip
    console.print(scorecard(result, conclude(result)))
    sys.exit(result.exit_status)
