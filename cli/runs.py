"""Runs on this machine: `robo-poet run` starts one, `robo-poet gc` removes old ones. `cli.run_history` lists and compares them."""

import re
import sys
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.data import print_advice
from cli.profile import Profile, Set, absolute_source, profile_for
from cli.registry.opening import repeat_registry
from robo_poet.commands import command
from robo_poet.local_folder import is_bucket, local_path
from robo_poet.permissions import warnings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipelines.profile.load import Profile as Settings
    from pipelines.run.execution.process import Runner


class RunnerName(StrEnum):
    """Choices of --runner."""

    process = "process"
    docker = "docker"
    cluster = "cluster"


def run(
    context: typer.Context,
    profile: Profile = "local",
    corpus: Annotated[
        str, typer.Option(help="Your own text: folder, .zip, .txt, .md, .jsonl, .csv, .parquet or gs://…. Default: the bundled corpora.")
    ] = "",
    runner: Annotated[
        RunnerName,
        typer.Option(help="Where the steps run: local processes, Docker containers (`robo-poet images`), or a Kubeflow cluster."),
    ] = RunnerName.process,
    set_: Set = [],  # noqa: B006  typer reads the default
    model: Annotated[str, typer.Option("--model", "-m", help="Name of the model in the registry. Default: the name of the corpus.")] = "",
    same_model: Annotated[
        bool, typer.Option("--same-model", help="Accept a corpus from another address as the same model. The registry records it.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="With --runner cluster: follow the run to its end.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print for each step whether it would run or is cached, and why. Nothing runs.")
    ] = False,
    run_id: Annotated[str, typer.Option("--run-id", help="Name of the run's folder. Default: the time (UTC) and a random suffix.")] = "",
    live_text: Annotated[
        Path | None,
        typer.Option("--live-text", help="Prompts with consent, beside the corpus: a file of `requests corpus`.", callback=local_path),
    ] = None,
    trigger: Annotated[
        str, typer.Option("--trigger", help="What started the run, as JSON, for the model card. `robo-poet retrain` sets it.")
    ] = "",
) -> None:
    """Run the pipeline: prepare the corpus, train, evaluate, gate and register a model.

    The results of finished steps are cached. A killed training resumes from its
    last checkpoint. At the end, a summary shows the metrics, the gates, a sample
    and the next command. Exit with 0 if the run succeeded (also if the gates
    rejected the model), 1 if a step failed, 2 for wrong input, 130 after Ctrl-C.

    Example: `robo-poet run --corpus ~/poems --set train.epochs=10`
    """
    from rich.console import Console

    from cli.scorecard import scorecard
    from pipelines.compile import chosen_settings
    from pipelines.local import explain_here, train_here
    from pipelines.run.display import display_on
    from robo_poet.errors import BadInput, parse_object
    from robo_poet.registry.names import check_name

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 1000  # do not wrap lines in a log file
    if explain and runner is RunnerName.cluster:
        problem = "a cluster decides itself which steps it takes from its cache"
        raise BadInput(problem, where="--explain", remedy="leave out --explain, or use --runner process")
    if run_id:
        _check_run_id(run_id, runner)
    source, live = absolute_source(corpus), str(live_text.resolve()) if live_text else ""
    if live and runner is RunnerName.cluster:
        raise BadInput("a cluster reads no live text", where="--live-text", remedy="leave it out, or use --runner process")
    if model:
        check_name(model)  # before the corpus is described, which takes seconds
    effective, advice = profile_for(profile, set_, source, write=not explain)
    settings = effective.profile
    chosen = replace(chosen_settings(profile, settings), trigger=parse_object(trigger, where="--trigger") if trigger else {})
    if advice:
        print_advice(console, advice)
    if runner is RunnerName.cluster:
        from cli.cluster import run_on_cluster

        sys.exit(run_on_cluster(settings, chosen, corpus=corpus, model=model, same_model=same_model, wait_for_it=wait))
    if explain:
        for verdict in explain_here(settings, source, model, chosen, live):
            console.print(f"{verdict.display:22} {verdict}")
        return
    here = settings.local
    repeat_registry(context, here.registry)
    places = (("registry", here.registry), ("store", here.store), ("folder of runs", here.runs))
    for line in warnings((what, Path(path)) for what, path in places if not is_bucket(path)):
        typer.echo(f"warning: {line}", err=True)
    same_model = same_model or _confirm_source(settings, source, model)
    with display_on(console) as listener:
        result, outcome = train_here(
            settings,
            source,
            _runner(runner),
            listener,
            model=model,
            same_model=same_model,
            chosen=chosen,
            run_id=run_id or None,
            live_text=live,
        )
    console.print(scorecard(result, outcome, set_))
    sys.exit(result.exit_status)


def _check_run_id(run_id: str, runner: RunnerName) -> None:
    from robo_poet.errors import BadInput

    if runner is RunnerName.cluster:
        raise BadInput("a cluster names its runs itself", where="--run-id", remedy="leave out --run-id")
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._-]{0,79}", run_id):
        remedy = "use up to 80 letters, digits, points, hyphens and underscores"
        raise BadInput(f"{run_id[:100]!r} cannot be the name of a folder of runs", where="--run-id", remedy=remedy)


def _confirm_source(settings: "Settings", source: str, model: str) -> bool:
    """On a terminal, ask whether a corpus from another address belongs to the model. Return True if the user says so."""
    from pipelines.local import check_source_here
    from robo_poet.registry.log.entry import OtherSource

    try:
        check_source_here(settings, source, model)
    except OtherSource as error:
        if not sys.stdin.isatty():
            raise
        typer.echo(f"warning: {error}")
        return typer.confirm("Train it as the same model?", abort=True)
    return False


def _runner(name: RunnerName) -> "Callable[[Mapping[str, Any]], Runner]":
    if name is RunnerName.docker:
        from pipelines.images.build import docker_runner

        return docker_runner
    from pipelines.images.programs import ROOT, interpreter
    from pipelines.run.execution.process import ProcessRunner

    return lambda parameters: ProcessRunner(ROOT, interpreter)


def gc(
    profile: Profile = "local",
    keep_runs: Annotated[int, typer.Option(min=1, help="Keep the results that the last N runs used.")] = 5,
    keep_days: Annotated[float, typer.Option(min=0, help="Keep run folders, unfinished work and the logs of all runs for N days.")] = 30.0,
    yes: Annotated[bool, typer.Option("--yes", help="Remove the files. Without this option, only list them.")] = False,
) -> None:
    """Free disk space: remove cached results that no recent run used, old run folders, and old logs.

    The runs of `robo-poet drift run` count as runs too. Those that a request
    for a retraining refers to are kept with their snapshots.
    Old are the logs of runs after --keep-days, the days of the request log
    after serve.request_log.keep_days, and outcomes after
    serve.outcomes.keep_days, also if no gateway runs. Without --yes, only list
    what would be removed. The registry is never changed.
    """
    from rich.console import Console
    from rich.table import Table

    from monitoring.retraining.evidence import requests_of, runs_of_requests
    from pipelines.profile.load import load_profile
    from pipelines.run.store.gc import apply_gc, plan_gc
    from robo_poet.outcomes.files import model_folders, old_files
    from robo_poet.outcomes.files import remove_old as remove_old_outcomes
    from robo_poet.request_log.deletion import old_days, remove_old

    settings = load_profile(profile).profile
    local = settings.local
    store, runs = Path(local.store), Path(local.runs)
    serve = Path(settings.serve.folder)
    drift_runs = serve / "drift-runs"
    needed = runs_of_requests(requests_of(serve / "retraining"), drift_runs)
    plan = plan_gc(store, runs, drift_runs, needed=needed, keep_runs=keep_runs, keep_days=keep_days)
    log, keep = serve / "requests", settings.serve.request_log.keep_days
    today = datetime.now(UTC).date()
    old = {path: _megabytes(path) for path in (old_days(log, today, keep) if log.is_dir() else ())}
    outcomes, keep_outcomes, now = (
        serve / "outcomes",
        settings.serve.outcomes.keep_days,
        datetime.now(UTC).timestamp(),
    )
    old_outcomes = {folder: files for folder in model_folders(outcomes) if (files := old_files(folder, now, keep_outcomes))}
    outcome_sizes = {folder: sum(path.stat().st_size for path in files) / 1e6 for folder, files in old_outcomes.items()}
    if not plan and not old and not old_outcomes:
        typer.echo("nothing to remove; results of the last hour and of the last runs are kept")
        return
    if yes:
        plan = apply_gc(plan, runs, drift_runs, store=store)
        if old:
            remove_old(log, today, keep)
        for folder in old_outcomes:
            remove_old_outcomes(folder, now, keep_outcomes)
    table = Table("folder", "MB", "reason", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    for removal in plan:
        table.add_row(f"{removal.path.parent.name}/{removal.path.name}", f"{removal.size / 1e6:.1f}", removal.why)
    for path, megabytes in old.items():
        table.add_row(f"requests/{path.relative_to(log)}", f"{megabytes:.1f}", f"records older than {keep} days")
    for folder, megabytes in outcome_sizes.items():
        table.add_row(f"outcomes/{folder.name}", f"{megabytes:.1f}", f"outcomes older than {keep_outcomes} days")
    Console().print(table)
    total = sum(removal.size for removal in plan) / 1e6 + sum(old.values()) + sum(outcome_sizes.values())
    typer.echo(f"{'freed' if yes else 'would free'} {total:.1f} MB" + ("" if yes else f"; to free it: {command('gc --yes')}"))


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
