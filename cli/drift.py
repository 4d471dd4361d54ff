"""Commands of `robo-poet drift`: watch the live perplexity of the champion, by a program or by a pipeline, and its baseline."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.profile import Profile, Set
from cli.registry.opening import HOME, AsJson, Folder, ModelName, Why, open_registry, open_trained
from robo_poet.commands import command
from robo_poet.local_folder import local_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from monitoring.drift.held_out import HeldOutScorer
    from monitoring.drift.history import Judged
    from monitoring.drift.report import DriftReport
    from robo_poet.registry.registry import Registry
    from robo_poet.settings.monitoring import DriftSettings, MonitoringSettings

app = typer.Typer(help="Watch live traffic and compare it with the baseline of the champion.", no_args_is_help=True)
Requests = Annotated[
    Path, typer.Option("--folder", help="Folder of the request log: `requests` in the gateway's folder.", callback=local_path)
]
REQUESTS = Path(".serve/requests")
State = Annotated[Path, typer.Option("--history", help="Folder of the judged windows.", callback=local_path)]
STATE = Path(".serve/drift")
RUNS = Path(".serve/drift-runs")
COLUMNS = ("window (UTC)", "users", "no score", "perplexity", "rise")


def _settings(profile: str, set_: list[str]) -> MonitoringSettings:
    from pipelines.profile.load import load_profile

    return load_profile(profile, set_).profile.monitoring


def _open(
    profile: str, set_: list[str], registry: str, model: str, opened: Callable[[str, str, Sequence[str]], Registry] = open_registry
) -> tuple[Registry, MonitoringSettings, HeldOutScorer]:
    """Return the registry of a model, read with the keys that the profile trusts, its settings, and the scorer with its model server."""
    from monitoring.drift.held_out import HeldOutScorer
    from pipelines.profile.load import load_profile

    loaded = load_profile(profile, set_).profile
    return opened(registry, model, loaded.serve.trusted_keys), loaded.monitoring, HeldOutScorer(loaded.serve)


@app.command()
def report(
    profile: Profile = "local",
    registry: Folder = HOME,
    model: ModelName = "",
    folder: Requests = REQUESTS,
    windows: Annotated[int, typer.Option(min=1, max=366, help="Number of complete windows (days, UTC) to show.")] = 14,
    set_: Set = [],  # noqa: B006  typer reads the default
    as_json: AsJson = False,
) -> None:
    """Show the live perplexity of the champion by day, its rise over the baseline, and the verdict.

    The perplexity is that of the users' prompts, and each user counts once a
    day. A drift is a rise whose lower bound is above 10 % on two days in a row,
    and whose estimate reaches 20 % on one of them. Nothing is recorded.

    Example: `robo-poet drift report --windows 30`
    """
    from monitoring.drift.report import report_drift

    store, settings, held_out = _open(profile, set_, registry, model, open_trained)
    result = report_drift(store, folder, settings.drift, datetime.now(UTC), windows, held_out)
    if as_json:
        typer.echo(json.dumps(result.as_json(), indent=2))
    else:
        _print(result, settings.drift)


@app.command()
def baseline(
    profile: Profile = "local",
    registry: Folder = HOME,
    model: ModelName = "",
    folder: Requests = REQUESTS,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day (UTC). Default: the day after the promotion of the champion.")
    ] = None,
    why: Why = "the first days in service",
    set_: Set = [],  # noqa: B006  typer reads the default
) -> None:
    """Make the baseline of the champion from its first complete days in service. `drift watch` does so by itself.

    It is recorded in the log of the registry: counts, means and deviations, no
    texts. A second baseline replaces the first.

    Example: `robo-poet drift baseline --since 2026-03-01`
    """
    from monitoring.drift.baseline import record_baseline
    from robo_poet.process import user_name

    store, settings, held_out = _open(profile, set_, registry, model)
    first = since.replace(tzinfo=UTC) if since else None
    made = record_baseline(
        store, folder, settings.drift, datetime.now(UTC), since=first, who=user_name(), why=why, held_out=held_out
    )  # fmt: skip
    if made.heldout.doubt:
        typer.echo(f"warning: held-out text is not scored, so a damaged model is not recognised: {made.heldout.doubt}", err=True)
    typer.echo(f"baseline of {store.model}: {made.everyone.users} users, mean {made.everyone.mean:.3f} nats per token")
    typer.echo(f"to compare: {command(f'drift report --model {store.model}')}")


@app.command()
def watch(
    profile: Profile = "local",
    registry: Folder = HOME,
    model: ModelName = "",
    folder: Requests = REQUESTS,
    state: State = STATE,
    set_: Set = [],  # noqa: B006  typer reads the default
) -> None:
    """Judge the traffic of each day when it is complete, until Ctrl-C.

    Makes the baseline of a new champion after its first seven days with enough
    users, keeps each verdict (`robo-poet drift history`), and exports the newest
    one for Prometheus on http://127.0.0.1:9464/metrics. After a pause, it judges
    the days that it missed.

    Example: `robo-poet drift watch --set monitoring.port=9500`
    """
    import signal
    import threading

    from monitoring.drift.program import watch as run
    from robo_poet.permissions import limit_umask

    limit_umask()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    store, settings, held_out = _open(profile, set_, registry, model)
    run(store, folder, state / store.model, settings, typer.echo, stopped, held_out=held_out)


@app.command()
def history(
    registry: Folder = HOME,
    model: ModelName = "",
    state: State = STATE,
    windows: Annotated[int, typer.Option(min=1, max=10_000, help="Number of newest windows to show.")] = 30,
    plot: Annotated[Path | None, typer.Option(help="Write the perplexity over time to this SVG file.", callback=local_path)] = None,
    as_json: AsJson = False,
) -> None:
    """Show the windows that `drift watch` has judged, of all versions of a model.

    Example: `robo-poet drift history --windows 90 --plot drift.svg`
    """
    from dataclasses import asdict

    from monitoring.drift.history import History

    name = open_trained(registry, model).model
    judged = History(state / name).judged()[-windows:]
    if as_json:
        typer.echo(json.dumps([asdict(window) for window in judged], indent=2))
    elif not judged:
        typer.echo(f"{name}: no window is judged yet; to watch: {command(f'drift watch --model {name}')}")
    else:
        _print_history(name, judged)
    if plot:
        from monitoring.drift.plot import history_plot
        from robo_poet.atomic import write_text

        write_text(plot, history_plot(name, judged))
        typer.echo(f"plot: {plot}", err=as_json)


@app.command()
def compare(
    profile: Profile = "local",
    registry: Folder = HOME,
    model: ModelName = "",
    state: State = STATE,
    window: Annotated[str, typer.Option(help="Window, as in `robo-poet drift history`. Default: the newest one.")] = "",
    page: Annotated[Path, typer.Option(help="HTML file to write.", callback=local_path)] = Path("drift.html"),
    set_: Set = [],  # noqa: B006  typer reads the default
    as_json: AsJson = False,
) -> None:
    """Compare a judged window with the first windows of its version, as a page by Evidently.

    The page shows the distributions of perplexity, prompt length, language and
    unusual characters on both sides. It explains a drift; the drift judge decides
    whether there is one.

    Example: `robo-poet drift compare --window 2026-03-09 --page drift.html`
    """
    from monitoring.drift.comparison import compare_window
    from monitoring.drift.history import History
    from robo_poet.atomic import write_text
    from robo_poet.errors import BadInput

    name = open_trained(registry, model).model
    history = History(state / name)
    judged = [row for row in history.judged() if window in ("", row.row["window"])]
    if not judged:
        remedy = f"{command(f'drift history --model {name}')} shows the judged windows"
        raise BadInput(f"{name} has no such window" if window else f"{name} has no judged window", where=window, remedy=remedy)
    comparison = compare_window(history, judged[-1], _settings(profile, set_).drift.baseline_windows)
    write_text(page, comparison.html)
    if as_json:
        typer.echo(json.dumps(comparison.data, indent=2))
        return
    for column, drift in comparison.data["columns"].items():
        distance = "not measured" if drift["distance"] is None else f"{drift['distance']:.3f}"
        typer.echo(f"{column.replace('_', ' '):20} {drift['method']} distance {distance}")
    typer.echo(f"page: {page}")


@app.command()
def run(
    profile: Profile = "local",
    registry: Folder = HOME,
    model: ModelName = "",
    folder: Requests = REQUESTS,
    window: Annotated[str, typer.Option(help="Start of the window (UTC), such as 2026-03-02. Default: the newest complete one.")] = "",
    runs: Annotated[Path, typer.Option(help="Where the folder of the run is created.", callback=local_path)] = RUNS,
    set_: Set = [],  # noqa: B006  typer reads the default
) -> None:
    """Run the drift-watch pipeline once: judge one day, write a page, send a drift to Alertmanager.

    It is the pipeline that `robo-poet cluster schedule create --pipeline
    drift-watch` starts on a cluster. Exit with 0 for each verdict, also for a drift
    and for `cannot tell`; 1 if a step failed, 2 for wrong input.

    Example: `robo-poet drift run --window 2026-03-09`
    """
    import sys

    from rich.console import Console

    from pipelines.drift_watch import PAGE, VERDICT, watch_here
    from pipelines.images.programs import ROOT, interpreter
    from pipelines.profile.load import load_profile
    from pipelines.run.display import display_on
    from pipelines.run.execution.process import ProcessRunner
    from robo_poet.local_folder import absolute_address

    store = open_registry(registry, model)
    parameters = {
        "requests": str(folder.absolute()), "registry": absolute_address(registry), "model_name": store.model, "window": window,
    }  # fmt: skip
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 1000  # do not wrap lines in a log file
    with display_on(console) as listener:
        settings = load_profile(profile, set_).profile
        result, verdict = watch_here(settings, parameters, ProcessRunner(ROOT, interpreter), listener, runs=runs)
    if verdict:
        typer.echo(f"{_words(verdict['action'])}: {verdict['reasons'][0]}")
        if verdict["cause"]:
            typer.echo(f"likely cause: {verdict['cause']} ({verdict['reasons'][1]})")
        typer.echo(f"page: {result.folder / PAGE}\nverdict: {result.folder / VERDICT}")
    else:
        typer.echo(f"no verdict: {result.error or result.status}")
    sys.exit(result.exit_status)


def _print(result: DriftReport, settings: DriftSettings) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    version, verdict = result.version, result.verdict
    table = Table(box=box.SIMPLE_HEAD, title=f"{version.model}: live perplexity of version {version.number}", title_justify="left")
    for name in (*COLUMNS, f"bounds ({1 - settings.level:.0%} each)"):
        table.add_column(name, justify="left" if name == COLUMNS[0] else "right", no_wrap=True)
    for row in result.rows:
        table.add_row(*_cells(row))
    if result.rows:
        Console(highlight=False).print(table)
    typer.echo(f"{_words(verdict.action)}: {verdict.reasons[0]}")
    if verdict.cause:
        typer.echo(f"likely cause: {verdict.cause} ({verdict.reasons[1]})")
    if verdict.action == "cannot_tell" and "no baseline" in verdict.reasons[0]:
        typer.echo(f"to make the baseline from the first days in service: {command(f'drift baseline --model {version.model}')}")


def _words(action: str) -> str:
    from robo_poet.judges.drift.judge import WORDS

    return "DRIFT" if action == "drift" else WORDS[action]


def _cells(row: Mapping[str, Any]) -> list[str]:
    known = "rise" in row
    return [
        row["window"], f"{row['users']}", f"{row['unscored']:.0%}", f"{row['perplexity']:.4g}" if "perplexity" in row else "",
        f"{row['rise']:+.1%}" if known else "", f"{row['low']:+.1%} to {row['high']:+.1%}" if known else "",
    ]  # fmt: skip


def _print_history(name: str, judged: Sequence[Judged]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title=f"{name}: judged windows", title_justify="left", padding=(0, 1, 0, 0))
    for column in ("window (UTC)", "v.", "users", "perplexity", "rise", "bounds", "verdict"):
        left = column in ("window (UTC)", "verdict")
        table.add_column(
            column, justify="left" if left else "right", no_wrap=column != "verdict", min_width=14 if column == "verdict" else None
        )
    for window in judged:
        row, verdict = window.row, _words(window.action) + (f": {window.cause or window.reasons[0]}" if window.action != "no_drift" else "")
        known = "rise" in row
        table.add_row(
            row["window"], str(window.version), str(row["users"]), f"{row['perplexity']:.4g}" if "perplexity" in row else "",
            f"{row['rise']:+.0%}" if known else "", f"{row['low']:+.0%} to {row['high']:+.0%}" if known else "", verdict,
        )  # fmt: skip
    Console(highlight=False).print(table)
