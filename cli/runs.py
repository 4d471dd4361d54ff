"""`robo-poet runs`: list the local runs and show their results."""

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

    folders = sorted((p for p in runs.glob("*/") if not p.is_symlink() and (p / "events.jsonl").exists()), reverse=True)
    if not folders:
        typer.echo(f"no run in {runs}; start one with make run-pipeline")
        return
    table = Table("run", "status", "seconds", "perplexity", "version", "stage", box=None, pad_edge=False)
    for folder in folders[:last]:
        # Without a summary, the run is still running or was killed.
        summary: dict[str, Any] = _read(folder / "summary.json") if (folder / "summary.json").exists() else {"status": "unfinished"}
        perplexity = summary.get("metrics", {}).get("perplexity")
        table.add_row(
            folder.name, summary["status"], f"{summary['seconds']:.0f}" if "seconds" in summary else "",
            f"{perplexity:.1f}" if perplexity else "", str(summary.get("version") or ""), summary.get("stage", ""),
        )  # fmt: skip
    Console().print(table)
    if len(folders) > last:
        typer.echo(f"and {len(folders) - last} earlier; --last {len(folders)} lists all")


@app.command()
def show(run: Annotated[str, typer.Argument(help="A run's id.")] = "latest", runs: Runs = Path("runs")) -> None:
    """Print the summary of a run as JSON."""
    typer.echo(json.dumps(_read(runs / run / "summary.json"), indent=1))


def _read(path: Path) -> Any:
    from robo_poet.errors import BadInput

    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        unfinished = (path.parent / "events.jsonl").exists()
        problem = "still running, or killed: there is no summary" if unfinished else "no such run"
        remedy = f"see {path.parent}/events.jsonl and logs/" if unfinished else "robo-poet runs list names them"
        raise BadInput(problem, where=str(path.parent), remedy=remedy) from None
