"""Commands of `robo-poet canary`: what is known about a release, and the moves that a person makes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.profile import Profile, Set
from cli.registry.opening import HOME, AsJson, Folder, ModelName, Why, open_registry
from robo_poet.commands import command
from robo_poet.local_folder import local_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitoring.retraining.facts import ShownRequest
    from robo_poet.registry.registry import Registry
    from robo_poet.settings.canary import CanarySettings
    from serving.canary.controller import Controller, Look

app = typer.Typer(help="Show, hold, resume, promote or abort the release of a canary, and run its controller.", no_args_is_help=True)
Logs = Annotated[Path, typer.Option("--folder", help="Folder of the gateway's logs, as in `robo-poet serve`.", callback=local_path)]
LOGS = Path(".serve")


def _controller(profile: str, set_: list[str], registry: str, model: str, folder: Path) -> tuple[Controller, Registry, CanarySettings]:
    from pipelines.profile.load import load_profile
    from serving.canary.controller import Controller

    loaded = load_profile(profile, set_).profile
    store = open_registry(registry, model, loaded.serve.trusted_keys)
    return Controller.of(store, loaded.canary, folder, loaded.serve.deadline_seconds), store, loaded.canary


@app.command()
def run(
    profile: Profile = "local",
    registry: Folder = HOME,
    model: ModelName = "",
    folder: Logs = LOGS,
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of the Prometheus metrics; 0 takes a free one. Default: no metrics.")
    ] = None,
    metrics_host: Annotated[str, typer.Option(help="Address of the metrics; 0.0.0.0 lets other machines read them.")] = "127.0.0.1",
    set_: Set = [],  # noqa: B006  typer reads the default
) -> None:
    """Run the canary controller until Ctrl-C. `robo-poet serve` runs it already.

    It reads what happened to the users of canary and champion, asks the judge,
    and writes each step, promotion and roll-back to the log of the registry. Two
    controllers do no harm.

    Example: `robo-poet canary run --model poems --metrics-port 9466`
    """
    import signal
    import threading
    from contextlib import ExitStack

    from robo_poet.exporter import exporter
    from serving.canary.__main__ import ControllerSeries
    from serving.canary.__main__ import run as run_controller

    controller, store, settings = _controller(profile, set_, registry, model, folder)
    stopped, series, metrics = threading.Event(), ControllerSeries(store.model), ""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with ExitStack() as exporting:
        if metrics_port is not None:
            metrics = exporting.enter_context(exporter(series.registry, metrics_host, metrics_port, "--metrics-port"))
        typer.echo(
            f"the canary controller of {store.model} looks every {settings.look_seconds:g} s; "
            f"{f'metrics at {metrics}; ' if metrics else ''}stop with Ctrl-C"
        )
        run_controller(controller, settings, store, folder, stopped, series)


@app.command()
def status(
    profile: Profile = "local",
    registry: Folder = HOME,
    model: ModelName = "",
    folder: Logs = LOGS,
    page: Annotated[Path | None, typer.Option(help="Also write an HTML page with the course of each guardrail.")] = None,
    set_: Set = [],  # noqa: B006  typer reads the default
    as_json: AsJson = False,
) -> None:
    """Show what is known about the canary, for each guardrail, and what happens next.

    Bounds hold for all looks together: look as often as you like.

    Example: `robo-poet canary status --page build/canary.html`
    """
    controller, store, settings = _controller(profile, set_, registry, model, folder)
    if not store.log():  # a wrong folder must not look like a model without a release
        from robo_poet.errors import BadInput

        remedy = f"to train one: {command('run')}; to open another registry: --registry FOLDER"
        raise BadInput("the registry has no model of this name", where=f"{registry}: {store.model}", remedy=remedy)
    look = controller.look()
    if look is None:
        champion = store.champion()
        served = f"{champion.name} is the champion" if champion else "there is no champion"
        sentence = f"{store.model}: no release is going on; {served}"
        typer.echo(json.dumps({"model": store.model, "release": None}) if as_json else sentence)
        return
    if as_json:
        from dataclasses import asdict

        print(json.dumps({"model": store.model, "release": asdict(look.release), "verdict": asdict(look.verdict)}, indent=1))
    else:
        _print(look, store.model, settings)
    if page is not None:
        from robo_poet.atomic import write_text
        from serving.canary.status_page import status_page

        write_text(page, status_page(look, store.model, settings.policy()))
        typer.echo(f"page  {page}", err=as_json)


def _print(look: Look, model: str, settings: CanarySettings) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from serving.canary.status_page import headline, rows

    for line in headline(look, model, settings.policy()):
        typer.echo(line)
    table = Table(
        "guardrail", "estimate", "bounds", "margin", "users", "more users", "state", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0)
    )
    table.columns[0].no_wrap = True
    for row in rows(look):
        table.add_row(*row)
    Console().print(table)


def _canary(profile: str, set_: list[str], registry: str, model: str, *, watch: bool = False) -> tuple[Registry, int, Any]:
    """Return the registry, the number of the version that is released, and the state that was seen.

    Raises:
        BadInput: there is no release.
    """
    from pipelines.profile.load import load_profile
    from robo_poet.errors import BadInput

    store = open_registry(registry, model, load_profile(profile, set_).profile.serve.trusted_keys)
    state = store.state()
    if watch and state.watch is not None and state.champion is not None:
        return store, state.champion, state
    if state.canary is None:
        start = command(f"registry start-canary N --model {store.model} --why 'your reason'")
        raise BadInput("there is no canary", where=f"model {store.model}", remedy=f"to start one: {start}")
    return store, state.canary, state


@app.command()
def hold(
    why: Why,
    profile: Profile = "local",
    registry: Folder = HOME,
    model: ModelName = "",
    set_: Set = [],  # noqa: B006  typer reads the default
) -> None:
    """Keep the canary at its present share until `resume`. Users stay with their versions."""
    from robo_poet.process import user_name

    store, number, state = _canary(profile, set_, registry, model)
    store.hold_canary(number, who=user_name(), why=why, seen=state)
    typer.echo(f"{store.model}/{number} is held at {state.canary_share:.0%} of the users")


@app.command()
def resume(
    why: Why,
    profile: Profile = "local",
    registry: Folder = HOME,
    model: ModelName = "",
    set_: Set = [],  # noqa: B006  typer reads the default
) -> None:
    """Let a held canary go on."""
    from robo_poet.process import user_name

    store, number, state = _canary(profile, set_, registry, model)
    store.resume_canary(number, who=user_name(), why=why, seen=state)
    typer.echo(f"{store.model}/{number} goes on at {state.canary_share:.0%} of the users")


@app.command()
def promote(
    why: Why,
    profile: Profile = "local",
    registry: Folder = HOME,
    model: ModelName = "",
    set_: Set = [],  # noqa: B006  typer reads the default
) -> None:
    """Make the canary the champion of all users, without waiting for the judge. Its files are verified first."""
    from robo_poet.process import user_name

    store, number, state = _canary(profile, set_, registry, model)
    store.verify(number)
    version = store.promote(number, who=user_name(), why=why, seen=state)
    typer.echo(f"{version.name} is {version.stage}")


@app.command()
def abort(
    why: Why,
    profile: Profile = "local",
    registry: Folder = HOME,
    model: ModelName = "",
    set_: Set = [],  # noqa: B006  typer reads the default
) -> None:
    """Reject the canary; all users get the champion. After a promotion, while it is watched, go back to the former champion."""
    from robo_poet.process import user_name

    store, number, state = _canary(profile, set_, registry, model, watch=True)
    if state.watch is not None:
        store.verify(state.watch.former)
        version = store.promote(state.watch.former, who=user_name(), why=why, seen=state)
        typer.echo(f"{store.model}/{number} is rolled back; {version.name} is {version.stage}")
    else:
        store.reject(number, who=user_name(), why=why, seen=state)
        typer.echo(f"{store.model}/{number} is rejected; the champion serves all users")


def console(
    profile: Profile = "local",
    registry: Folder = HOME,
    folder: Logs = LOGS,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = 8090,
    set_: Set = [],  # noqa: B006  typer reads the default
) -> None:
    """Show all models and their releases as web pages on this machine. Ctrl-C stops it.

    The pages are read only, refresh themselves, and show for each guardrail of a
    release the estimate and its bounds over time, and the latest moves. For each
    model they show the drift of its live traffic: the newest verdict, the history
    of `robo-poet drift watch`, and the requests for a retraining.

    Example: `robo-poet console --port 8090`
    """
    import socket

    import uvicorn

    from robo_poet.errors import BadInput
    from robo_poet.registry.names import model_names
    from serving.canary.console import Watched, console

    names = model_names(registry)
    if not names:
        raise BadInput("the registry has no models", where=registry, remedy=f"to train one: {command('run')}")
    models = {}
    for name in names:
        controller, store, settings = _controller(profile, set_, registry, name, folder)
        models[name] = Watched(store, controller, settings.policy(), _drift(store, folder, profile, set_))
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        remedy = f"take a free port: {command('console --port 0')}"
        raise BadInput(f"the address cannot be used ({reason})", where=f"127.0.0.1:{port}", remedy=remedy) from None
    typer.echo(f"console: http://127.0.0.1:{listener.getsockname()[1]}/   (stop with Ctrl-C)")
    config = uvicorn.Config(console(models), log_level="warning", access_log=False, server_header=False)
    uvicorn.Server(config).run(sockets=[listener])


def _drift(store: Registry, folder: Path, profile: str, set_: list[str]) -> Any:
    """Return the drift of a model for the console, from the folders of the drift watcher and of the trigger."""
    from monitoring.drift.history import History
    from monitoring.drift_page import drift_line, drift_section
    from monitoring.retraining.facts import read_facts, shown_requests
    from monitoring.retraining.log import RetrainingLog
    from pipelines.profile.load import load_profile
    from robo_poet.errors import BadInput
    from serving.canary.console import Drift

    name, policy = store.model, load_profile(profile, set_).profile.monitoring.retraining.policy()
    history, requests = History(folder / "drift" / name), RetrainingLog(folder / "retraining" / name / "log", name)

    def line() -> str:
        try:
            return drift_line(history.judged())
        except (BadInput, OSError) as error:  # a damaged history must not hide the release
            return f"the drift is not known: {error}"

    def section() -> str:
        shown: Sequence[ShownRequest] | str
        try:
            shown = shown_requests(requests.state(), read_facts(store), policy, time.time())
        except (BadInput, OSError) as error:  # a damaged log must not hide the verdict
            shown = str(error)
        return drift_section(name, history.judged(), shown)

    return Drift(line, section)
