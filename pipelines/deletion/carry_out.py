"""Carries out a deletion. A journal makes it safe to kill at any point: the next deletion finishes it first."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pipelines.deletion.exposure import Exposure
from pipelines.deletion.inventory import DROPPED, Folders, Unit
from pipelines.deletion.plan import DeletionPlan
from pipelines.run.store.gc import is_locked, remove_unused
from pipelines.run.store.store import Store
from robo_poet.deletion.records import Journal, finish, new_receipt_name, only_deletion, read_journal, write_journal
from robo_poet.deletion.suppression import add_digests, list_digest, open_suppression
from robo_poet.errors import BadInput
from robo_poet.outcomes.files import forget as forget_outcomes
from robo_poet.outcomes.files import outcomes_of
from robo_poet.request_log.deletion import forget, forget_completions


def delete(plan: DeletionPlan, exposures: Mapping[str, Exposure] | None = None) -> tuple[Path, int]:
    """Carry out a plan. Return the path of the receipt, and the number of open files of the request log that are not changed yet.

    Args:
        exposures: version → figures of `pipelines.deletion.exposure`, for the receipt.

    Raises:
        BadInput: a run or another deletion is in progress (nothing was removed), or a folder is in use (the next call finishes it).
    """
    folders = plan.inventory.folders
    suppression = open_suppression(folders.deletions)
    with only_deletion(folders.deletions):
        _check_no_run(folders)
        documents = [item.document for item in plan.search.selected.values()]  # with the texts after scrubbing
        texts = sorted({suppression.digest("text", document.text) for document in documents})
        columns = plan.selection.of_column([*documents, *(item.document for item in plan.search.left_out)])
        digests = [*texts, *(suppression.digest(kind, value) for kind, value in columns)]
        now = datetime.now(UTC)
        content = {
            "time": now.isoformat(timespec="seconds"),
            "selection": sorted(suppression.digest(kind, value) for kind, value in plan.selection.values()),
            "documents": texts,
            "removed": plan.counts(),
            "suppressed": len(digests),
            "versions": [
                {
                    "version": item.version.name, "digest": item.version.digest, "stage": str(item.version.stage), "splits": item.splits,
                    "started_from": item.started_from, "quoted": item.quoted, "do": item.advice[0], "why": item.advice[1],
                }
                for item in plan.versions
            ],
            "exposures": dict(exposures or {}),
            "unknown_versions": plan.unknown,
            "copies_elsewhere": len(plan.copies),
        }  # fmt: skip
        units = tuple((unit.kind, str(unit.path)) for unit in plan.units)
        requests = str(folders.requests) if plan.completions or plan.pseudonyms else ""
        journal = Journal(
            new_receipt_name(now), tuple(digests), units, requests, tuple(plan.completions), tuple(plan.pseudonyms), content
        )  # fmt: skip
        write_journal(folders.deletions, journal)
        return _carry_out(folders, journal)


def finish_interrupted(folders: Folders) -> tuple[Path, int] | None:
    """Finish an interrupted deletion, and return the same as `delete`. Return None if there is none.

    Raises:
        BadInput: see `delete`.
    """
    if read_journal(folders.deletions) is None:
        return None
    with only_deletion(folders.deletions):
        journal = read_journal(folders.deletions)
        if journal is None:
            return None
        _check_no_run(folders)
        return _carry_out(folders, journal)


def _carry_out(folders: Folders, journal: Journal) -> tuple[Path, int]:
    add_digests(folders.deletions, journal.digests)
    journal = replace(journal, content={**journal.content, "list": list_digest(folders.deletions)})
    for kind, path in journal.units:
        _remove(Unit(kind, Path(path)), folders)
    _remove_dropped(folders)
    _repair_latest(folders.runs)
    pending = 0
    if journal.requests and Path(journal.requests).is_dir():
        pending = forget_completions(Path(journal.requests), journal.completions).pending
        for pseudonym in journal.pseudonyms:
            pending += forget(Path(journal.requests), pseudonym).pending
    if journal.requests:
        for pseudonym in journal.pseudonyms:
            forget_outcomes(outcomes_of(Path(journal.requests)), pseudonym)
    return finish(folders.deletions, journal), pending


def _check_no_run(folders: Folders) -> None:
    """Raise BadInput if a run is in progress: its steps may have read the documents already, and would store new results."""
    for path in (*folders.runs.glob("[!.]*"), *(folders.store / "work").glob("[!.]*")):
        if path.is_dir() and not path.is_symlink() and is_locked(path):
            raise BadInput("a run is in progress", where=str(path), remedy="wait until it ends, then repeat")


def _remove(unit: Unit, folders: Folders) -> None:
    """Remove a unit. It is safe to repeat.

    Raises:
        BadInput: a run uses the folder, its files cannot be removed, or it is not below the store, the runs or the reports.
    """
    path = unit.path
    if not any(folder.resolve() in path.parents for folder in (folders.store, folders.runs, folders.reports)):
        raise BadInput("not below the store, the runs or the reports", where=str(path), remedy="use the profile of the first call")
    if unit.kind == "leftover":
        return  # `_remove_dropped` removes it
    if path.is_dir() and not path.is_symlink():
        if not remove_unused(path, Store(folders.store)) and path.exists():
            raise BadInput("a run uses this folder", where=str(path), remedy="repeat the deletion when the run has ended")
    else:
        path.unlink(missing_ok=True)


def _remove_dropped(folders: Folders) -> None:
    """Remove the folders that were renamed for removal, also those of a killed deletion or `gc`.

    Raises:
        BadInput: one cannot be removed.
    """
    store = Store(folders.store)
    for parent in (store.done, store.work, store.root, folders.runs.resolve()):
        for path in parent.glob(f"{DROPPED}*"):
            shutil.rmtree(path, ignore_errors=True)
            if path.exists():
                raise BadInput("the folder cannot be removed", where=str(path), remedy="change its permissions, then repeat the deletion")


def _repair_latest(runs: Path) -> None:
    """Let `runs/latest` point to the latest run that is left; remove the link if there is none."""
    link = runs / "latest"
    if link.is_symlink() and not link.exists():
        link.unlink()
        left = sorted(path.name for path in runs.glob("[!.]*") if (path / "events.jsonl").exists())
        if left:
            link.symlink_to(left[-1])
