"""`robo-poet gc`: remove old runs and cached results, or list what would be removed."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import Profile


def gc(
    profile: Profile = "local",
    keep_runs: Annotated[int, typer.Option(min=1, help="Results that one of so many last runs used are kept.")] = 5,
    keep_days: Annotated[float, typer.Option(min=0, help="Runs and unfinished work are kept for so many days.")] = 30.0,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; without this, only say what would go.")] = False,
) -> None:
    """Remove results that no recent run used. The registry is never changed."""
    from rich.console import Console
    from rich.table import Table

    from pipelines.profile import load_profile
    from pipelines.run.gc import apply_gc, plan_gc

    local = load_profile(profile).profile.local
    store, runs = Path(local.store), Path(local.runs)
    plan = plan_gc(store, runs, keep_runs=keep_runs, keep_days=keep_days)
    if not plan:
        typer.echo("nothing to free; what was used within the last hour, or by the last runs, stays")
        return
    if yes:
        plan = apply_gc(plan, store=store, runs=runs)
    table = Table("what", "MB", "why", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    for removal in plan:
        table.add_row(f"{removal.path.parent.name}/{removal.path.name}", f"{removal.size / 1e6:.1f}", removal.why)
    Console().print(table)
    total = sum(removal.size for removal in plan) / 1e6
    typer.echo(f"{'freed' if yes else 'would free'} {total:.1f} MB" + ("" if yes else "; robo-poet gc --yes removes it"))
