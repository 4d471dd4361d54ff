"""Commands of `robo-poet retrain`: take alerts about drifts, and approve, refuse and list the training runs that they ask for."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.profile import Profile, Set
from cli.registry.opening import HOME, AsJson, Folder, ModelName, Why, open_registry, open_trained
from cli.requests import consenting_keys
from robo_poet.commands import command
from robo_poet.local_folder import local_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitoring.retraining.facts import ShownRequest
    from monitoring.retraining.log import RetrainingLog
    from robo_poet.judges.retraining.state import Request

app = typer.Typer(help="Train again after a drift: at most one run for each cause, within a budget.", no_args_is_help=True)
State_ = Annotated[Path, typer.Option("--folder", help="Folder of the trigger: its log, its token, output of runs.", callback=local_path)]
STATE = Path(".serve/retraining")
Number = Annotated[int, typer.Argument(metavar="N", help="Number of the request, as in `robo-poet retrain list`.", min=1)]


@app.command()
def listen(
    profile: Profile = "local",
    registry: Folder = HOME,
    model: ModelName = "",
    folder: State_ = STATE,
    token_file: Annotated[
        Path | None,
        typer.Option(help="File with Alertmanager's bearer token. Default: `token` in --folder, made if missing.", callback=local_path),
    ] = None,
    history: Annotated[
        Path, typer.Option("--history", help="Folder of the windows of `robo-poet drift watch`.", callback=local_path)
    ] = Path(".serve/drift"),
    set_: Set = [],  # noqa: B006  typer reads the default
) -> None:
    """Take alerts about drifts on http://127.0.0.1:9465/alerts, until Ctrl-C.

    An alert names a cause: model, version, baseline and the likely cause of the
    drift. For one cause at most one training run starts, however often the alert
    comes. By default, a person approves it first (`robo-poet retrain approve`).
    A run waits if another one goes on, if the last one ended less than a week
    ago, or if the budget of the month is spent. Broken or hostile input starts
    nothing. The new version goes through the same gates and the same canary.

    Example: `robo-poet retrain listen --set monitoring.retraining.enabled=automatic`
    """
    from monitoring.drift.history import History
    from monitoring.retraining.facts import corpus_of_champion, read_facts, window_of
    from monitoring.retraining.launch import Launcher, RunCommand
    from monitoring.retraining.live_text import write_for_run
    from monitoring.retraining.program import listen as run
    from monitoring.retraining.program import read_token
    from monitoring.retraining.trigger import Trigger
    from pipelines.profile.load import load_profile
    from robo_poet.permissions import limit_umask

    limit_umask()
    effective = load_profile(profile, set_).profile
    settings, store = effective.monitoring.retraining, open_registry(registry, model, effective.serve.trusted_keys)
    place, log = folder / store.model, Path(effective.serve.folder) / "requests"
    token = token_file or folder / "token"
    elsewhere = [] if registry == effective.local.registry else [f"local.registry={registry}"]

    def words(request: Request, run_id: str) -> list[str]:
        corpus = settings.corpus or corpus_of_champion(store)
        live = None
        if settings.live_text:
            # All attempts have the same period, so that a later one finds the checkpoints of an earlier one
            keys, now = partial(consenting_keys, log), next((run.started for run in request.runs), datetime.now(UTC).timestamp())
            live = write_for_run(place, log, store.model, keys, now, settings.live_text_days)
            typer.echo(f"live text is {live.note}")
        changed = (*set_, *elsewhere)
        start = RunCommand(profile, changed, corpus, same_model=bool(settings.corpus), warm_start=settings.warm_start, live_text=live)
        return start.words(request, run_id)

    trigger = Trigger(
        _log(place, store.model), Launcher(place / "runs", Path(effective.local.runs)), lambda: read_facts(store), words,
        settings.policy(), window_of(History(history / store.model)),
    )  # fmt: skip
    secret = read_token(token)
    typer.echo(f"token for Alertmanager: {token}; retraining of {store.model}: {settings.enabled}, profile {profile}")
    run(trigger, place, secret, settings.host, settings.port, typer.echo)


@app.command("list")
def list_requests(
    profile: Profile = "local",
    registry: Folder = HOME,
    model: ModelName = "",
    folder: State_ = STATE,
    set_: Set = [],  # noqa: B006  typer reads the default
    as_json: AsJson = False,
) -> None:
    """List the requests for a retraining: one for each cause, with its state, its runs and the reason.

    For a request that waits, the reason says what it waits for: a person, the
    cool-down, the budget of the month, or the next attempt.

    Example: `robo-poet retrain list --json`
    """
    from monitoring.retraining.facts import read_facts, shown_requests
    from pipelines.profile.load import load_profile

    loaded = load_profile(profile, set_).profile
    store = open_trained(registry, model, loaded.serve.trusted_keys)
    name, policy = store.model, loaded.monitoring.retraining.policy()
    requests = shown_requests(_log(folder / name, name).state(), read_facts(store), policy, datetime.now(UTC).timestamp())
    if as_json:
        rows = [
            asdict(request) | {"next": {"action": step.action, "reasons": list(step.reasons)} if step else None}
            for request, step, _, _ in requests
        ]
        typer.echo(json.dumps(rows, indent=2))
    elif not requests:
        typer.echo(f"{name}: no alert has asked for a retraining; to take alerts: {command(f'retrain listen --model {name}')}")
    else:
        _print(name, requests)


@app.command()
def approve(number: Number, why: Why, registry: Folder = HOME, model: ModelName = "", folder: State_ = STATE) -> None:
    """Approve a request. `retrain listen` starts its run as soon as cool-down and budget allow it.

    A request that was given up after failed attempts gets new attempts.

    Example: `robo-poet retrain approve 1 --why "the new readers stay"`
    """
    _decide(number, why, registry, model, folder, approve=True)


@app.command()
def refuse(number: Number, why: Why, registry: Folder = HOME, model: ModelName = "", folder: State_ = STATE) -> None:
    """Refuse a request that waits. No later alert about the same cause asks again.

    Example: `robo-poet retrain refuse 1 --why "a campaign, over next week"`
    """
    _decide(number, why, registry, model, folder, approve=False)


def _log(place: Path, model: str) -> RetrainingLog:
    from monitoring.retraining.log import RetrainingLog

    return RetrainingLog(place / "log", model)


def _decide(number: int, why: str, registry: str, model: str, folder: Path, *, approve: bool) -> None:
    from monitoring.retraining.log import find_request
    from monitoring.retraining.trigger import decide_by_hand
    from robo_poet.errors import BadInput
    from robo_poet.process import user_name

    name = open_trained(registry, model).model
    log = _log(folder / name, name)
    key = find_request(log.state(), number, f"model {name}")
    try:
        decide_by_hand(log, key, approve=approve, who=user_name(), why=why, now=datetime.now(UTC).timestamp())
    except ValueError as error:
        raise BadInput(str(error), where=f"model {name}", remedy=f"{command('retrain list')} shows the requests") from None
    done = f"is approved; {command('retrain listen')} starts it if the rules allow it" if approve else "is refused"
    typer.echo(f"request {number} ({name}/{key.version}, {key.cause}) {done}")


def _print(name: str, requests: Sequence[ShownRequest]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title=f"{name}: requests for a retraining", title_justify="left")
    for column in ("N", "asked (UTC)", "version", "cause", "state", "runs", "hours", "reason"):
        table.add_column(column, justify="right" if column in ("N", "version", "runs", "hours") else "left", no_wrap=column != "reason")
    for request, _, words, reason in requests:
        asked = datetime.fromtimestamp(request.asked, UTC).strftime("%Y-%m-%d %H:%M")
        hours = sum(run.hours for run in request.runs)
        table.add_row(
            str(request.number), asked, str(request.key.version), request.key.cause, words, str(len(request.runs)), f"{hours:.2f}", reason
        )
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 1000  # do not wrap lines in a file
    console.print(table)
    waiting = [request.number for request, step, _, _ in requests if step and step.action == "wait_for_approval"]
    if number := next(iter(waiting), 0):
        approval = command(f"retrain approve {number} --model {name} --why 'your reason'")
        typer.echo(f"to approve: {approval}")
