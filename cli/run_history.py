"""`robo-poet runs …`: list, show and compare the runs on this machine."""

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.columns import Column, print_fitting, terminal
from cli.comparison import Html, show_comparison
from robo_poet.commands import command
from robo_poet.local_folder import local_path

if TYPE_CHECKING:
    from robo_poet.report.measured import Measured

app = typer.Typer(no_args_is_help=True, help="List, show and compare the runs on this machine.")
Runs = Annotated[Path, typer.Option("--runs", help="Folder of the runs.", callback=local_path)]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="ID of the run, as in `robo-poet runs list`, or its beginning or end.")]
WIDE = 120  # from this width on, the list has whole ids, the time of day, and the columns status, seconds and perplexity
ENDING = 4  # characters at the end of an id that tell runs apart
COLUMNS = (
    Column("run"),
    Column("date"),
    Column("status", drop=4),
    Column("seconds", right=True, drop=6),
    Column("corpus", most=14, drop=2),
    Column("model", most=18),
    Column("profile", most=10, drop=1),
    Column("verdict"),
    Column("stage", drop=5),
    Column("perplexity", right=True, drop=3),
    Column("bits/byte", right=True),
    Column("changed settings", most=160),
)
NOT_NARROW = ("status", "seconds", "stage", "perplexity")


@app.command("list")
def list_runs(
    runs: Runs = Path("runs"),
    last: Annotated[int, typer.Option(min=1, help="Number of runs to list.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print the runs as JSON, with all metrics and changed settings.")] = False,
) -> None:
    """List the last runs, newest first: corpus, model and version, profile, changed settings, verdict, bits per byte, date.

    On a narrow terminal, a run is shown by the last four characters of its ID.
    They are enough for `robo-poet runs show` and `robo-poet runs compare`.
    Changed settings are those that differ from the profile's file.
    """
    folders = sorted((p for p in runs.glob("*/") if not p.is_symlink() and (p / "events.jsonl").exists()), reverse=True)
    listed = [(folder, _read_json(folder / "summary.json")) for folder in folders[:last]]
    measured = [_listed(folder, summary) for folder, summary in listed]
    if as_json:
        typer.echo(json.dumps([_json(run) for run in measured], indent=1))
        return
    if not folders:
        typer.echo(f"{runs.absolute()}: no runs; to start one: {command('run')}; to list those of another folder: --runs FOLDER")
        return
    wide = terminal().width >= WIDE
    shown = [i for i, column in enumerate(COLUMNS) if wide or column.name not in NOT_NARROW]
    rows = [_row(run, wide=wide) for run in measured]
    if not wide and len({row[0] for row in rows}) < len(rows):
        rows = [[run.name, *row[1:]] for run, row in zip(measured, rows, strict=True)]
    print_fitting([COLUMNS[i] for i in shown], [[row[i] for i in shown] for row in rows])
    if len(folders) > last:
        typer.echo(f"{len(folders) - last} earlier runs are not listed; --last {len(folders)} lists all")


@app.command()
def show(run: RunId = "latest", runs: Runs = Path("runs")) -> None:
    """Print the summary of a run as JSON: steps with states and cache keys, metrics, gates, settings and warnings."""
    typer.echo(json.dumps(_summary(find_run(runs, run)), indent=1))


@app.command()
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="ID of a run, or its beginning or end.")],
    b: Annotated[str, typer.Argument(metavar="B", help="ID of the other run.")] = "latest",
    runs: Runs = Path("runs"),
    html: Html = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare two runs: settings, data, metrics with intervals, gates and samples, side by side.

    The values come from the summaries of the runs. A difference is shown only if
    both values have the same unit. If the runs were measured on different texts,
    the comparison says so.

    Example: `robo-poet runs compare 7c51 latest --html compare.html`
    """
    from robo_poet.report.comparison import compare as compare_measured

    folders = [find_run(runs, a), find_run(runs, b)]
    sides = [_measured(folder, _summary(folder)) for folder in folders]
    show_comparison(compare_measured(*sides), html, as_json=as_json)


def find_run(runs: Path, text: str) -> Path:
    """Return the folder of the run that `text` names: its id, the beginning or the end of its id, or `latest`.

    Raises:
        BadInput: no run, or several runs.
    """
    from robo_poet.errors import BadInput

    exact = runs / text
    if text and exact.is_dir():
        return exact.resolve() if exact.is_symlink() else exact
    names = sorted(path.name for path in runs.glob("*/") if not path.is_symlink() and (path / "events.jsonl").exists())
    matches = [name for name in names if text and (name.startswith(text) or name.endswith(text))]
    if len(matches) == 1:
        return runs / matches[0]
    remedy = f"give more of the ID: {', '.join(matches[-5:])}" if matches else f"{command('runs list')} shows the runs"
    raise BadInput(f"{len(matches)} runs match" if matches else "no such run", where=str(exact), remedy=remedy)


def _summary(folder: Path) -> dict[str, Any]:
    """Return the summary of a run.

    Raises:
        BadInput: the run has none.
    """
    from robo_poet.errors import BadInput

    summary = _read_json(folder / "summary.json")
    if not summary:
        raise BadInput(
            "the run has no summary: it is still running, or it was killed",
            where=str(folder),
            remedy=f"see {folder}/events.jsonl and logs/",
        )
    return summary


def _read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object; an empty one if the file cannot be read or is none."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _listed(folder: Path, summary: Mapping[str, Any]) -> "Measured":
    """Return a run; one whose summary was changed by hand has the status `unreadable`."""
    from robo_poet.errors import BadInput
    from robo_poet.report.measured import measured_run

    try:
        return _measured(folder, summary)
    except BadInput:
        return measured_run({"status": "unreadable"}, parameters=_parameters(folder), card={}, name=folder.name)


def _measured(folder: Path, summary: Mapping[str, Any]) -> "Measured":
    from robo_poet.report.measured import measured_run

    return measured_run(summary, parameters=_parameters(folder), card=_card(summary), name=folder.name)


def _card(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return the model card of a run; empty if the run made none or `gc` has removed it."""
    try:
        return _read_json(Path(summary["outputs"]["write-report"]["artifacts"]["card"]["path"]))
    except (KeyError, TypeError):
        return {}


def _parameters(folder: Path) -> dict[str, Any]:
    """Return the parameters of a run from the first line of its events; empty if it has none yet."""
    try:
        with (folder / "events.jsonl").open(encoding="utf-8") as file:
            event = json.loads(file.readline())
        parameters = event["detail"]["parameters"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return parameters if isinstance(parameters, dict) else {}


def _row(run: "Measured", *, wide: bool) -> list[str]:
    """Return the cells of `COLUMNS`."""
    from robo_poet.report.lineage_rows import changes_text

    return [
        run.name if wide else run.name[-ENDING:],
        run.date[:16].replace("T", " ") if wide else run.date[:10],
        run.status,
        "" if run.seconds is None else f"{run.seconds:.0f}",
        PurePosixPath(run.corpus).name,
        f"{run.model}/{run.version}" if run.model and run.version else run.model or str(run.version or ""),
        run.profile,
        run.judgement or ("" if wide else run.status),
        run.stage,
        run.metric_text("perplexity"),
        run.metric_text("bits_per_byte"),
        changes_text(run.changed or {}),
    ]  # fmt: skip


def _json(run: "Measured") -> dict[str, Any]:
    names = (
        "model",
        "version",
        "stage",
        "corpus",
        "profile",
        "changed",
        "status",
        "verdict",
        "open_questions",
        "date",
        "metrics",
        "seconds",
    )
    return {"run": run.name} | {name: getattr(run, name) for name in names}
