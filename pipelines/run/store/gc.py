"""`robo-poet gc`: plan which folders of the store and of runs can be removed, with sizes and reasons; and apply the plan."""

import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.run.store.store import SCRATCH, Store
from robo_poet.errors import BadInput

HOUR, DAY = 3600.0, 86400.0
LOGS = "logs"  # folder of the logs in a run


@dataclass(frozen=True)
class StoredFolder:
    """A folder of the store or of a run.

    Attributes:
        kind: `entry`, `work`, `run`, `logs` (of a run that is kept) or `leftover`.
        size: bytes.
        used: UNIX time of its last use or change.
        locked: whether a run uses it now.
    """

    path: Path
    kind: str
    size: int
    used: float
    locked: bool = False


@dataclass(frozen=True)
class Removal:
    """A folder that can be removed: its size in bytes, the reason, and the UNIX time of its last use."""

    path: Path
    size: int
    why: str
    used: float


def plan_gc(
    store: Path, *runs: Path, needed: Collection[Path] = (), keep_runs: int = 5, keep_days: float = 30.0, now: float | None = None
) -> list[Removal]:
    """Return the folders that can be removed, largest first. Removes nothing.

    Args:
        runs: folders of runs that use the store. `keep_runs` counts in each of them.
        needed: folders of runs that are kept with their results, whatever their age.
        keep_runs: number of latest runs whose folders and results are kept.
        keep_days: number of days to keep older runs, unfinished work, and the logs of all runs (DATA-4: 30 days).
        now: UNIX time; the default is the current time.
    """
    run_folders, recent = list[StoredFolder](), list[StoredFolder]()
    for parent in runs:
        here = sorted(_run_folders(parent), key=lambda folder: folder.used)
        recent += [folder for folder in here if folder.locked or folder.path in needed] + here[max(0, len(here) - keep_runs) :]
        run_folders += here
    latest = {(parent / "latest").resolve() for parent in runs}
    kept_keys = {key for folder in recent for key in _keys(folder.path / "events.jsonl")}
    content_store = Store(store)
    candidates = [folder for folder in run_folders if folder not in recent and folder.path not in latest]
    candidates += _log_folders(folder for folder in run_folders if folder not in candidates)
    places = [content_store.done, content_store.work, *(parent.resolve() for parent in runs)]
    candidates += [*_store_folders(content_store), *_leftovers(*places)]
    finished_keys = {folder.path.name[:16] for folder in candidates if folder.kind == "entry"}
    plan = [_removal(folder, kept_keys, finished_keys, keep_runs, keep_days, time.time() if now is None else now) for folder in candidates]
    return sorted((removal for removal in plan if removal), key=lambda removal: (-removal.size, removal.path))


def apply_gc(plan: Sequence[Removal], *runs: Path, store: Path) -> list[Removal]:
    """Remove the folders of a plan, except those that a run has started to use. Return the removed ones.

    Args:
        runs: the folders of runs of the plan.

    Raises:
        BadInput: the plan names a folder outside the store and the runs.
    """
    content_store, removed, parents = Store(store), [], [parent.resolve() for parent in runs]
    for removal in plan:
        if removal.path.is_symlink() or not _may_remove(removal.path, content_store, parents):
            raise BadInput("not a folder of this store or of these runs", where=str(removal.path))
        if _remove(removal, content_store):
            removed.append(removal)
    return removed


def _may_remove(path: Path, store: Store, runs: Sequence[Path]) -> bool:
    return path.parent in (store.done, store.work, *runs) or (path.name == LOGS and path.parent.parent in runs)


def remove_unused(path: Path, store: Store) -> bool:
    """Remove a folder of the store or a run, whenever it was last used. Return False if a run uses it now or it does not exist."""
    return path.is_dir() and _remove(Removal(path, 0, "", path.stat().st_mtime), store)


def _removal(
    folder: StoredFolder, kept_keys: Collection[str], finished_keys: Collection[str], keep_runs: int, keep_days: float, now: float
) -> Removal | None:
    """Return the removal of a folder, None to keep it. A folder used within the last hour is kept, as a run may need it soon."""
    age, reason = now - folder.used, ""
    if folder.locked or age < HOUR:
        return None
    if folder.kind == "entry" and folder.path.name not in kept_keys:
        reason = f"not used by the last {keep_runs} runs"
    elif folder.kind == "work" and folder.path.name.rpartition("-")[2] in finished_keys:
        reason = "working folder of a finished step"
    elif folder.kind in ("work", "run") and age > keep_days * DAY:
        reason = f"{'unfinished step, ' if folder.kind == 'work' else ''}not used for {age / DAY:.0f} days"
    elif folder.kind == "logs" and age > keep_days * DAY:
        reason = f"logs of a run {age / DAY:.0f} days ago"
    elif folder.kind == "leftover":
        reason = f"left over from a killed {'command' if folder.path.name.startswith(SCRATCH) else 'run'}"
    return Removal(folder.path, folder.size, reason, folder.used) if reason else None


def _store_folders(store: Store) -> Iterator[StoredFolder]:
    for path in _folders(store.done):
        yield StoredFolder(path, "entry", _size(path)[0], path.stat().st_mtime)
    for path in _folders(store.work):
        kind = "leftover" if path.name.startswith(SCRATCH) else "work"
        yield StoredFolder(path, kind, *_size(path), locked=is_locked(path))


def _run_folders(runs: Path) -> Iterator[StoredFolder]:
    for path in _folders(runs.resolve()):
        if (path / "events.jsonl").exists():
            yield StoredFolder(path, "run", _size(path)[0], (path / "events.jsonl").stat().st_mtime, is_locked(path))


def _log_folders(runs: Iterable[StoredFolder]) -> Iterator[StoredFolder]:
    """Yield the logs of runs, with the time of the run's last event."""
    for run in runs:
        path = run.path / LOGS
        if path.is_dir() and not path.is_symlink():
            yield StoredFolder(path, "logs", _size(path)[0], run.used, run.locked)


def _leftovers(*parents: Path) -> Iterator[StoredFolder]:
    for parent in parents:
        for path in parent.glob(".dropped-*"):
            yield StoredFolder(path, "leftover", *_size(path))


def _folders(parent: Path) -> list[Path]:
    return [path for path in parent.glob("[!.]*") if path.is_dir() and not path.is_symlink()]


def _size(path: Path) -> tuple[int, float]:
    """Return the bytes in a folder and the UNIX time of its latest change."""
    stats = [path.lstat(), *(Path(base, name).lstat() for base, folders, files in os.walk(path) for name in folders + files)]
    return sum(stat.st_size for stat in stats[1:]), max(stat.st_mtime for stat in stats)


def is_locked(path: Path) -> bool:
    """Return True if a run uses the folder now."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(handle)


def _keys(events: Path) -> set[str]:
    """Return the keys of the results that a run made or used, from its events."""
    keys = set()
    for line in events.read_text("utf-8").splitlines():
        try:
            keys.add(json.loads(line)["detail"].get("key", ""))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):  # incomplete last line of a killed run, or edited
            continue
    return keys


def _remove(removal: Removal, store: Store) -> bool:
    """Rename a folder under the store's lock, so that no run can use it, then delete it. Return False if it is in use or was used again."""
    try:
        handle = os.open(removal.path, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with store.shared(exclusive=True):
            if removal.path.parent == store.done and removal.path.stat().st_mtime != removal.used:
                return False
            temporary = Path(tempfile.mkdtemp(prefix=".dropped-", dir=removal.path.parent))
            removal.path.rename(temporary / removal.path.name)
        shutil.rmtree(temporary, ignore_errors=True)
        return True
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
