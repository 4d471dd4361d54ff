"""`robo-poet runs`: what was run here."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(no_args_is_help=True, help="Earlier runs: how they ended, what each step did.")
Runs = Annotated[Path, typer.Option("--runs", help="Folder of the runs.")]


@app.command("list")
def list_runs(runs: Runs = Path("runs"), last: Annotated[int, typer.Option(min=1, help="How many.")] = 20) -> None:
    """List the last runs, newest first."""
    from rich.console import Console
    from rich.table import Table

    found = sorted((p for p in runs.glob("*/summary.json") if not p.parent.is_symlink()), reverse=True)
    if not found:
        typer.echo(f"no run in {runs}; start one with make run-pipeline")
        return
    table = Table("run", "status", "seconds", "perplexity", "version", "stage", box=None, pad_edge=False)
    for path in found[:last]:
        summary = _read(path)
        perplexity = summary.get("metrics", {}).get("perplexity")
        table.add_row(
            path.parent.name, summary["status"], f"{summary['seconds']:.0f}", f"{perplexity:.1f}" if perplexity else "",
            str(summary.get("version") or ""), summary.get("stage", ""),
        )  # fmt: skip
    Console().print(table)


@app.command()
def show(run: Annotated[str, typer.Argument(help="A run's id.")] = "latest", runs: Runs = Path("runs")) -> None:
    """Print a run's summary as JSON."""
    typer.echo(json.dumps(_read(runs / run / "summary.json"), indent=1))


def _read(path: Path) -> Any:
    from robo_poet.errors import BadInput

    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        raise BadInput("no such run", where=str(path.parent), remedy="robo-poet runs list names them") from None
