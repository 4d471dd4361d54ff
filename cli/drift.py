"""Commands of `robo-poet drift`: the live perplexity of the champion, and the baseline that it is compared with."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.profile import Profile, Set
from cli.registry.opening import HOME, AsJson, Folder, ModelName, Why, open_registry
from robo_poet.commands import command
from robo_poet.local_folder import local_path

if TYPE_CHECKING:
    from monitoring.drift import DriftReport
    from robo_poet.settings.monitoring import DriftSettings

app = typer.Typer(help="Compare live traffic with the baseline of the champion.", no_args_is_help=True)
Requests = Annotated[
    Path, typer.Option("--folder", help="Folder of the request log: `requests` in the gateway's folder.", callback=local_path)
]
REQUESTS = Path(".serve/requests")
WORDS = {"no_drift": "no drift", "rising": "rising, not yet a drift", "drift": "DRIFT", "cannot_tell": "cannot tell"}


def _settings(profile: str, set_: list[str]) -> DriftSettings:
    from pipelines.profile.load import load_profile

    return load_profile(profile, set_).profile.monitoring.drift


@app.command()
def report(
    profile: Profile = "local",
    registry: Folder = HOME,
    model: ModelName = "",
    folder: Requests = REQUESTS,
    days: Annotated[int, typer.Option(min=1, max=366, help="Number of complete days (UTC) to show.")] = 14,
    set_: Set = [],  # noqa: B006  typer reads the default
    as_json: AsJson = False,
) -> None:
    """Show the live perplexity of the champion by day, its rise over the baseline, and the verdict.

    The perplexity is that of the users' prompts, and each user counts once a
    day. A drift is a rise whose lower bound is above 10 % on two days in a row,
    and whose estimate reaches 20 % on one of them.

    Example: `robo-poet drift report --days 30`
    """
    from monitoring.drift import report_drift

    settings = _settings(profile, set_)
    result = report_drift(open_registry(registry, model), folder, settings, datetime.now(UTC), days)
    if as_json:
        typer.echo(json.dumps(result.as_json(), indent=2))
    else:
        _print(result, settings)


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
    """Make the baseline of the champion from its first complete days in service.

    It is recorded in the log of the registry: counts, means and deviations, no
    texts. A second baseline replaces the first.

    Example: `robo-poet drift baseline --since 2026-03-01`
    """
    from monitoring.drift import record_baseline
    from robo_poet.process import user_name

    store = open_registry(registry, model)
    first = since.date() if since else None
    made = record_baseline(store, folder, _settings(profile, set_), datetime.now(UTC), since=first, who=user_name(), why=why)
    typer.echo(f"baseline of {store.model}: {made.everyone.users} users, mean {made.everyone.mean:.3f} nats per token")
    typer.echo(f"to compare: {command(f'drift report --model {store.model}')}")


def _print(result: DriftReport, settings: DriftSettings) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    version, verdict = result.version, result.verdict
    table = Table(box=box.SIMPLE_HEAD, title=f"{version.model}: live perplexity of version {version.number}", title_justify="left")
    for name in ("day (UTC)", "users", "no score", "perplexity", "rise", f"bounds ({1 - settings.level:.0%} each)"):
        table.add_column(name, justify="left" if name == "day (UTC)" else "right", no_wrap=True)
    for row in result.rows:
        known = "rise" in row
        table.add_row(
            row["date"], f"{row['users']}", f"{row['unscored']:.0%}", f"{row['perplexity']:.4g}" if "perplexity" in row else "",
            f"{row['rise']:+.1%}" if known else "", f"{row['low']:+.1%} to {row['high']:+.1%}" if known else "",
        )  # fmt: skip
    if result.rows:
        Console(highlight=False).print(table)
    typer.echo(f"{WORDS[verdict.action]}: {verdict.reasons[0]}")
    if verdict.cause:
        typer.echo(f"likely cause: {verdict.cause} ({verdict.reasons[1]})")
    if verdict.action == "cannot_tell" and "no baseline" in verdict.reasons[0]:
        typer.echo(f"to make the baseline from the first days in service: {command(f'drift baseline --model {version.model}')}")
