"""`robo-poet cluster …`: training runs on a Kubeflow cluster. `docs/how-to/kubeflow.md` describes how to configure the cluster."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import INTERRUPTED
from cli.profile import Profile, Set, absolute_source, profile_for
from robo_poet.commands import command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kfp import Client

    from pipelines.cluster.connection import Connection
    from pipelines.cluster.submit import PipelineName
    from pipelines.compile import Chosen
    from pipelines.profile.load import Profile as Settings

app = typer.Typer(help="Start, follow and schedule training runs on a Kubeflow cluster.", no_args_is_help=True)
schedule = typer.Typer(help="Train, or watch for drift, on a cron schedule: create, list and disable recurring runs.", no_args_is_help=True)
app.add_typer(schedule, name="schedule")

Corpus = Annotated[str, typer.Option(help="Your own text: gs://bucket/prefix. Default: the bundled corpora.")]
ModelName = Annotated[str, typer.Option("--model", "-m", help="Name of the model in the registry. Default: the name of the corpus.")]
SameModel = Annotated[
    bool, typer.Option("--same-model", help="Accept a corpus from another address as the same model. The registry records it.")
]
Create = Annotated[bool, typer.Option("--create-experiment", help="Create the experiment (cluster.experiment) if it does not exist.")]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="ID of the run, as printed by `robo-poet cluster submit`.")]
Name = Annotated[str, typer.Argument(help="Name of the recurring run.")]


class Scheduled(StrEnum):
    """Choices of --pipeline."""

    training = "training"
    drift_watch = "drift-watch"


@app.command()
def submit(
    profile: Profile = "rtx",
    corpus: Corpus = "",
    model: ModelName = "",
    same_model: SameModel = False,
    set_: Set = [],  # noqa: B006  typer only reads the default and never changes it
    name: Annotated[str, typer.Option(help="Name of the run in the Kubeflow UI. Default: the pipeline's name and the time.")] = "",
    create_experiment: Create = False,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the run to its end; exit with the status of the run.")] = False,
) -> None:
    """Compile the pipeline, upload it and start a training run.

    Prints the ID of the run and its address in the Kubeflow UI. An unchanged
    pipeline is not uploaded again. Check the cluster first: `robo-poet cluster
    doctor`.

    Example: `robo-poet cluster submit --profile rtx --corpus gs://my-bucket/plays
    --wait`
    """
    from pipelines.compile import chosen_settings

    settings = profile_for(profile, set_, absolute_source(corpus))[0].profile
    sys.exit(
        run_on_cluster(
            settings, chosen_settings(profile, settings), corpus=corpus, model=model, same_model=same_model, name=name,
            create_experiment=create_experiment, wait_for_it=wait,
        )
    )  # fmt: skip


def run_on_cluster(
    settings: Settings, chosen: Chosen, *, corpus: str = "", model: str = "", same_model: bool = False, name: str = "",
    create_experiment: bool = False, wait_for_it: bool = False,
) -> int:  # fmt: skip
    """Submit a training run with the settings of a profile; return the exit status.

    With `wait_for_it`, follow the run to its end.

    Raises:
        BadInput: see `pipelines.cluster.submit`.
    """
    from pipelines.cluster.client import connect
    from pipelines.cluster.connection import find_connection
    from pipelines.cluster.follow import display_names_in
    from pipelines.cluster.submit import cluster_parameters, refuse_unready, submit_training
    from pipelines.compile import compile_training

    refuse_unready(settings)
    connected = connect(find_connection(settings.cluster))  # connect first: compiling takes seconds, and the token may have expired
    ir = Path(settings.local.store) / "cluster.yaml"
    compile_training(settings, ir)
    parameters = cluster_parameters(settings, source=corpus, model=model, same_model=same_model, chosen=chosen)
    submitted = submit_training(settings, ir, parameters, name=name, create_experiment=create_experiment, connected=connected)
    typer.echo(f"pipeline version {submitted.version} {'reused' if submitted.reused else 'uploaded'}")
    typer.echo(f"run {submitted.run_id} started: {submitted.address}")
    if not wait_for_it:
        typer.echo(f"to follow it: {command(f'cluster wait {submitted.run_id}')}")
        return 0
    return _follow(connected[0], submitted.run_id, submitted.address, display_names_in(ir))


@app.command()
def wait(run: RunId, profile: Profile = "rtx", set_: Set = []) -> None:  # noqa: B006  typer only reads the default and never changes it
    """Follow a run to its end. Exit with 0 if the run succeeded. Ctrl-C stops following; the run continues."""
    client, connection = _connect(profile, set_)
    sys.exit(_follow(client, run, connection.run_address(run)))


@app.command()
def stop(run: RunId, profile: Profile = "rtx", set_: Set = []) -> None:  # noqa: B006  typer only reads the default and never changes it
    """Stop a run. The results of finished steps stay in the cluster's cache, and training keeps its checkpoints."""
    client, _ = _connect(profile, set_)
    client.terminate_run(run)
    typer.echo(f"run {run} is stopping")


@app.command()
def doctor(profile: Profile = "rtx", set_: Set = []) -> None:  # noqa: B006  typer only reads the default and never changes it
    """Check that the cluster and the profile are ready for a run. Exit with 1 if a run would fail."""
    from pipelines.cluster.doctor import Severity, examine
    from pipelines.profile.load import load_profile

    colours = {Severity.ok: "green", Severity.warning: "yellow", Severity.problem: "red", Severity.unchecked: None}
    problems = 0
    for finding in examine(load_profile(profile, set_).profile.cluster):
        typer.echo(typer.style(f"{finding.severity:9}", fg=colours[finding.severity]) + f"  {finding}")
        problems += finding.severity is Severity.problem
    typer.echo(f"{problems} problem{'s' * (problems > 1)} to fix before a run can succeed" if problems else "ready: no problem found")
    sys.exit(1 if problems else 0)


@schedule.command("create")
def schedule_create(
    name: Name,
    cron: Annotated[str, typer.Argument(help="Six fields, seconds first: '0 30 3 * * MON' is Mondays at 03:30 (cluster time).")],
    profile: Profile = "rtx",
    corpus: Corpus = "",
    model: ModelName = "",
    same_model: SameModel = False,
    pipeline: Annotated[Scheduled, typer.Option(help="What runs: the training, or the drift watch of the champion.")] = Scheduled.training,
    set_: Set = [],  # noqa: B006  typer only reads the default and never changes it
) -> None:
    """Create or change a recurring run, which trains on a cron schedule with the corpus of that time.

    With `--pipeline drift-watch`, each run judges the newest complete window of
    live traffic. It is safe to repeat the command. New settings replace the old
    ones.

    Example: `robo-poet cluster schedule create weekly '0 30 3 * * MON' --corpus
    gs://my-bucket/plays`
    """
    from pipelines.cluster.recurring import check_cron
    from pipelines.cluster.submit import TRAINING, cluster_parameters
    from pipelines.compile import chosen_settings, compile_training
    from pipelines.profile.load import load_profile

    check_cron(cron)
    settings = load_profile(profile, set_).profile
    if pipeline is Scheduled.drift_watch:
        _schedule_drift_watch(settings, name, cron, model, corpus, same_model=same_model)
        return
    connected = _connect(profile, set_)
    chosen = chosen_settings(profile, settings)
    parameters = cluster_parameters(settings, source=corpus, model=model, same_model=same_model, moving_source=True, chosen=chosen)
    ir = Path(settings.local.store) / "cluster.yaml"
    # the list of deleted documents may change between the runs, too
    compile_training(settings, ir, moving_source=bool(corpus or settings.cluster.deletions_secret))
    _schedule(settings, ir, parameters, name, cron, TRAINING, connected)


def _schedule_drift_watch(settings: Settings, name: str, cron: str, model: str, corpus: str, *, same_model: bool) -> None:
    from pipelines.cluster.client import connect
    from pipelines.cluster.connection import find_connection
    from pipelines.cluster.submit import PipelineName
    from pipelines.drift_watch import ABOUT, NAME, cluster_parameters, compile_drift_watch
    from robo_poet.errors import BadInput

    if corpus or same_model:
        raise BadInput("the drift watch reads no corpus", where="--corpus" if corpus else "--same-model", remedy="leave it out")
    parameters = cluster_parameters(settings, model)
    connected = connect(find_connection(settings.cluster))
    ir = Path(settings.local.store) / "cluster.yaml"
    compile_drift_watch(settings, ir)
    _schedule(settings, ir, parameters, name, cron, PipelineName(NAME, ABOUT), connected)


def _schedule(
    settings: Settings, ir: Path, parameters: Mapping[str, Any], name: str, cron: str, named: PipelineName,
    connected: tuple[Client, Connection],
) -> None:  # fmt: skip
    from pipelines.cluster.recurring import schedule_pipeline

    entry, changed = schedule_pipeline(settings, ir, parameters, name=name, cron=cron, connected=connected, named=named)
    typer.echo(f"recurring run {entry.name}, {entry.cron}: {'set' if changed else 'unchanged'}; {connected[1].recurring_address(entry.id)}")


@schedule.command("list")
def schedule_list(profile: Profile = "rtx", set_: Set = []) -> None:  # noqa: B006  typer only reads the default and never changes it
    """List the recurring runs of the experiment."""
    from pipelines.cluster.recurring import list_recurring

    client, connection = _connect(profile, set_)
    recurring_runs = list_recurring(client, connection)
    for recurring in recurring_runs:
        typer.echo(f"{recurring.name:24}  {recurring.cron:20}  {'enabled' if recurring.enabled else 'disabled'}")
    if not recurring_runs:
        typer.echo(f"experiment {connection.experiment} has no recurring runs")


@schedule.command("disable")
def schedule_disable(name: Name, profile: Profile = "rtx", set_: Set = []) -> None:  # noqa: B006  typer only reads the default and never changes it
    """Disable a recurring run, so that it starts no new runs. `create` with the same name enables it again."""
    from pipelines.cluster.recurring import disable_recurring

    newly_disabled = disable_recurring(*_connect(profile, set_), name)
    typer.echo(f"recurring run {name} {'is disabled' if newly_disabled else 'was already disabled'}")


def _connect(profile: str, overrides: list[str]) -> tuple[Client, Connection]:
    from pipelines.cluster.client import connect
    from pipelines.cluster.connection import find_connection
    from pipelines.profile.load import load_profile

    return connect(find_connection(load_profile(profile, overrides).profile.cluster))


def _follow(client: Client, run: str, address: str, names: Mapping[str, str] | None = None) -> int:
    """Follow a run to its end; return the exit status. Without `names`, read the display names of the steps from the cluster."""
    from rich.console import Console

    from pipelines.cluster.follow import follow, names_of_run, state_text, watch_on

    try:
        with watch_on(Console(highlight=False)) as listener:
            result = follow(client, run, listener, names=names or names_of_run(client, run))
    except KeyboardInterrupt:
        typer.echo(f"\nstopped following; the run continues: {address}")
        typer.echo(f"to follow it again: {command(f'cluster wait {run}')}\nto stop it: {command(f'cluster stop {run}')}")
        return INTERRUPTED
    failed = [task.name for task in result.tasks if task.state == "FAILED"]
    reason = f": {result.error}" if result.error else f": {', '.join(failed)}" if failed else ""
    typer.echo(f"run {run} {state_text(result.state)}{reason}; {address}")
    return result.exit_status
