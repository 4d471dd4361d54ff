"""`robo-poet run`: run the training pipeline, from a corpus to a registered version."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import Profile, Set

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipelines.run.process import Runner


class RunnerName(StrEnum):
    """Choices of --runner."""

    process = "process"
    docker = "docker"
    cluster = "cluster"


def run(
    profile: Profile = "local",
    corpus: Annotated[str, typer.Option(help="Your own text: folder, .txt, .md, .jsonl, .csv, .parquet or gs://…; else bundled.")] = "",
    runner: Annotated[
        RunnerName, typer.Option(help="Where the steps run: processes, containers, a Kubeflow cluster.")
    ] = RunnerName.process,
    set_: Set = [],  # noqa: B006  typer reads the default
    wait: Annotated[bool, typer.Option("--wait", help="Follow a cluster run to its end.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say why each step would run or not, and run nothing.")] = False,
) -> None:
    """Train, evaluate, gate and register a model. Finished steps are cached, and a killed training resumes from its last checkpoint."""
    from rich.console import Console

    from cli.scorecard import scorecard
    from pipelines.local import explain_here, train_here
    from pipelines.profile import load_profile
    from pipelines.run.display import display_on

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 1000  # do not wrap lines in a log file
    settings = load_profile(profile, set_).profile
    if runner is RunnerName.cluster:
        from cli.cluster import run_on_cluster

        sys.exit(run_on_cluster(settings, corpus=corpus, wait_for_it=wait))
    source = corpus if not corpus or corpus.startswith("gs://") else str(Path(corpus).expanduser().resolve())
    if explain:
        for verdict in explain_here(settings, source):
            console.print(f"{verdict.display:22} {verdict}")
        return
    with display_on(console) as listener:
        result, outcome = train_here(settings, source, _runner(runner), listener)
    console.print(scorecard(result, outcome))
    sys.exit(result.exit_status)


def _runner(name: RunnerName) -> "Callable[[Mapping[str, Any]], Runner]":
    if name is RunnerName.docker:
        from pipelines.containers import docker_runner

        return docker_runner
    from pipelines.code_digest import ROOT
    from pipelines.environments import interpreter
    from pipelines.run.process import ProcessRunner

    return lambda parameters: ProcessRunner(ROOT, interpreter)
