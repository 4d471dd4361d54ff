"""`robo-poet forget`: remove the documents of a person or a source, and list the versions trained on them (DATA-4)."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.profile import Profile
from robo_poet.commands import command
from robo_poet.local_folder import absolute_address, local_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.deletion.exposure import Exposure
    from pipelines.deletion.inventory import Folders
    from pipelines.deletion.plan import AffectedVersion, DeletionPlan
    from robo_poet.deletion.selection import Selection

Subject = Annotated[list[str], typer.Option("--subject", help="Name of a person as in a text, such as 'Ann Bell' (repeatable).")]
Source = Annotated[
    list[str], typer.Option("--source", help="A value of the column source, or a corpus: its path or last part (repeatable).")
]
DocumentId = Annotated[list[str], typer.Option("--document", help="Id of a document, or SHA-256 of its text (repeatable).")]
FIGURES = ("bits_per_byte", "held_out_bits_per_byte", "ratio")
SHOWN = 20  # rows of each kind in a table; --json prints all


def folders_of(profile: str, requests: Path | None = None) -> "Folders":
    """Return the folders of a profile. The reports are in `build`, the default of the commands that write pages."""
    from pipelines.deletion.inventory import Folders
    from pipelines.profile.load import load_profile

    settings = load_profile(profile).profile
    log = requests or Path(settings.serve.folder) / "requests"
    local = settings.local
    store, runs, deletions, requests, reports = (
        Path(place).resolve() for place in (local.store, local.runs, local.deletions, log, "build")
    )
    return Folders(store, runs, absolute_address(local.registry), deletions, requests, reports)


def forget(
    subject: Subject = [],  # noqa: B006  typer reads the default
    source: Source = [],  # noqa: B006
    document: DocumentId = [],  # noqa: B006
    profile: Profile = "local",
    requests: Annotated[
        Path | None, typer.Option("--requests", help="Folder of the request log. Default: that of the profile.", callback=local_path)
    ] = None,
    also: Annotated[
        list[Path], typer.Option("--also", help="Search this folder too, such as a backup; its files are listed, not removed (repeatable).")
    ] = [],  # noqa: B006
    everything: Annotated[bool, typer.Option("--all", help="Accept a selection of all stored documents.")] = False,
    exposure: Annotated[
        bool, typer.Option("--exposure", help="Measure how well each version predicts the documents. Loads each version; takes seconds.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it. Without this option, only show what would be removed.")] = False,
) -> None:
    """Remove the documents of a person or a source from everything that is stored on this machine.

    Searched: all stored corpora, cached results, run folders, the request log,
    and pages in build/. A cached result or a run is removed as a whole. A
    suppression list keeps the documents out of later runs. A receipt without
    personal data is written. Versions in the registry are never changed: the
    command lists those that were trained on a document, and what to do. If it is
    killed, the next `robo-poet forget --yes` finishes it.

    Example: `robo-poet forget --subject "Ann Bell"`
    """
    from pipelines.deletion.carry_out import delete, finish_interrupted
    from pipelines.deletion.exposure import measure_exposure
    from pipelines.deletion.plan import plan_deletion
    from robo_poet.deletion.records import read_journal
    from robo_poet.deletion.selection import Selection
    from robo_poet.errors import BadInput

    folders = folders_of(profile, requests)
    for folder in also:
        if not folder.exists():
            raise BadInput("no such folder", where=f"--also {folder}", remedy="give an existing folder")
    selects = bool(subject or source or document)
    interrupted = read_journal(folders.deletions) is not None
    if interrupted and not yes:
        typer.echo(f"an earlier deletion was interrupted; to finish it: {command('forget --yes')}", err=True)
    finished = finish_interrupted(folders) if interrupted and yes else None
    if finished:
        typer.echo(f"finished an interrupted deletion; receipt: {finished[0]}", err=as_json)
        _print_pending(finished[1])
    if not selects and interrupted:
        return
    selection = Selection(tuple(subject), tuple(source), tuple(document))
    plan = plan_deletion(folders, selection, everything=everything, also=also, pseudonym=_pseudonyms(folders.requests))
    exposures = measure_exposure(plan) if exposure and plan.search.selected else {}
    receipt, pending = delete(plan, exposures) if yes and plan.removes else (None, 0)
    if as_json:
        typer.echo(json.dumps(_to_json(plan, receipt, pending, exposures), indent=1, ensure_ascii=False))
        return
    _print(plan, receipt, exposures)
    _print_pending(pending)
    _print_earlier(folders, selection, plan)
    if plan.removes and not yes:
        typer.echo("nothing was removed yet; to remove it, repeat the command with --yes")


def _pseudonyms(requests: Path) -> "Callable[[str], str] | None":
    """Return the function that gives the pseudonym of a user in the request log; None if its key is missing."""
    from serving.telemetry.pseudonym import Pseudonyms, read_or_create_key

    key = requests.parent / "pseudonyms.key"
    return Pseudonyms(read_or_create_key(key)).user if key.is_file() else None


def _to_json(plan: "DeletionPlan", receipt: Path | None, pending: int, exposures: "dict[str, Exposure]") -> dict[str, Any]:
    versions = [
        {"version": item.version.name, "digest": item.version.digest, "stage": str(item.version.stage), "splits": item.splits}
        | {"quoted": item.quoted, "do": item.advice[0], "why": item.advice[1]}
        for item in plan.versions
    ]
    documents = [item.document for item in plan.search.items]
    return {
        "counts": plan.counts(),
        "documents": [{"id": d.id, "source": d.source, "split": d.split, "sha256": d.sha256} for d in documents],
        "left_out": [{"id": item.row.id, "source": item.row.source, "why": item.row.why} for item in plan.search.left_out],
        "near_duplicates_left_out": [{"id": item.row.id, "why": item.row.why} for item in plan.search.repeating],
        "units": [{"kind": unit.kind, "path": str(unit.path), "why": why} for unit, why in plan.units.items()],
        "completions": plan.completions,
        "versions": versions,
        "exposures": exposures,
        "unknown_versions": plan.unknown,
        "copies": [str(path) for path in plan.copies],
        "receipt": str(receipt) if receipt else None,
        "open_request_files": pending,
    }


def _print(plan: "DeletionPlan", receipt: Path | None, exposures: "dict[str, Exposure]") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 1000  # do not wrap lines in a log file
    if not plan.removes and not plan.copies:
        typer.echo("no stored document, file or record matches; nothing was removed")
    counts = ", ".join(f"{_plural(count, kind)}" for kind, count in plan.counts().items() if count)
    if plan.removes:
        typer.echo(f"{'removed' if receipt else 'would remove'}: {counts}")
    if plan.units:
        table = Table("kind", "folder or file", "why", box=None, pad_edge=False)
        for unit, why in list(plan.units.items())[:SHOWN]:
            table.add_row(unit.kind, f"{unit.path.parent.name}/{unit.path.name}", why)
        console.print(table)
        _print_more(len(plan.units))
    if scrubbed := sum(not item.original for item in plan.search.items):
        typer.echo(
            f"warning: of {_plural(scrubbed, 'document')} only the text after scrubbing is stored, so the suppression list may not "
            "recognise the original: remove it from the source"
        )
    _print_left_out(plan)
    if plan.versions:
        console.print(_version_table(plan.versions))
    if exposures:
        _print_exposures(exposures, {item.version.name for item in plan.versions if item.splits or item.started_from})
    if plan.unknown and plan.removes:
        typer.echo(f"not known for {', '.join(plan.unknown[:SHOWN])}: the corpus of this training is not stored any more")
    for path in plan.copies[:SHOWN]:
        typer.echo(f"copy elsewhere, remove it there: {path}")
    _print_more(len(plan.copies))
    if receipt:
        typer.echo(f"receipt: {receipt}")


def _print_left_out(plan: "DeletionPlan") -> None:
    """Say which near-duplicates of a document would be used in its place, and which documents are kept in place of one left out."""
    from robo_poet.display import terminal_text

    for item in plan.search.repeating[:SHOWN]:
        typer.echo(
            terminal_text(
                f"warning: {item.row.id} repeats {item.row.duplicate_of} with changed words (similarity {item.row.value:.2f}), so the "
                "suppression list does not recognise it: remove it from the source, or select it too"
            )
        )
    _print_more(len(plan.search.repeating))
    selected = {item.document.id for item in plan.search.items} | {item.row.id for item in plan.search.left_out}
    kept = [item.row for item in plan.search.left_out if item.row.duplicate_of and item.row.duplicate_of not in selected]
    for row in kept[:SHOWN]:
        typer.echo(terminal_text(f"warning: {row.id} was left out: {row.why}, which is stored and not selected"))
    _print_more(len(kept))


def _version_table(versions: "list[AffectedVersion]") -> Any:
    from rich.table import Table

    table = Table("version", "stage", "documents", "do", "why", box=None, pad_edge=False)
    for item in versions:
        splits = ", ".join(f"{count} {split}" for split, count in item.splits.items()) or "none"
        table.add_row(item.version.name, str(item.version.stage), splits, *item.advice)
    return table


def _print_exposures(exposures: "dict[str, Exposure]", trained: set[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("version", "documents", "bits per byte", "held-out bits per byte", "ratio", box=None, pad_edge=False)
    for name, figures in exposures.items():
        cells = [f"{figures[key]:.3f}" if figures[key] is not None else "unknown" for key in FIGURES]
        table.add_row(name, "trained on" if name in trained else "not trained on", *cells)
    Console(highlight=False).print(table)
    typer.echo(
        "exposure: versions trained on the documents show it before the deletion, the others after it. A ratio that is lower before than "
        "after is evidence of memorisation; a low ratio alone is not, because an easy text is predicted well by every version"
    )


def _print_more(number: int) -> None:
    if number > SHOWN:
        typer.echo(f"… and {number - SHOWN} more; --json prints all")


def _print_pending(pending: int) -> None:
    if pending:
        typer.echo(
            f"{_plural(pending, 'file')} of the request log not changed yet, because a running gateway still writes to it: repeat this "
            "command in two minutes"
        )


def _print_earlier(folders: "Folders", selection: "Selection", plan: "DeletionPlan") -> None:
    """Name the receipts of earlier deletions of the same selection, and the versions to retire that are still stored."""
    from robo_poet.deletion.records import receipts_of
    from robo_poet.deletion.suppression import read_suppression

    suppression = read_suppression(folders.deletions)
    if not suppression or plan.removes:
        return
    stored = {version.digest: version.name for version in plan.inventory.versions if not version.purged}
    for name, receipt in receipts_of(folders.deletions, [suppression.digest(*value) for value in selection.values()]).items():
        left = [stored[item["digest"]] for item in receipt.get("versions", ()) if item.get("digest") in stored and item["do"] != "keep"]
        also = f"; still stored: {', '.join(left)}" if left else ""
        typer.echo(f"deleted before on {str(receipt.get('time'))[:10]} (receipt {name}){also}")


def _plural(number: int, noun: str) -> str:
    if noun == "cache entry":
        return f"{number} cache {'entry' if number == 1 else 'entries'}"
    singular = noun.removesuffix("s") if noun in ("documents", "requests") else noun
    return f"{number} {singular}{'' if number == 1 else 's'}"
