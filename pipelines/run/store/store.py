"""The content-addressed store (PIPE-4): `done/<key>/` holds what finished steps made, `work/<step>-<key>/` where unfinished ones stand.

A key is the digest of all that a result may depend on. Nothing here decides when a step runs.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.run.ir.steps import Step
from pipelines.run.store.entry import Entry
from robo_poet.atomic import write_text
from robo_poet.digest import digest_json


def ingredients(step: Step, parameters: Mapping[str, Any], digests: Mapping[str, str]) -> dict[str, Any]:
    """All that a step's result may depend on: image with its content tag, command, parameters, its inputs' contents; no path, no name.

    Args:
        parameters: input values as `values.plain` writes them.
        digests: input artifact → digest of its content.
    """
    container = step.container
    return {
        "image": container.image,
        "command": list(container.command),
        "args": list(container.args),
        "env": dict(container.env),
        "parameters": dict(parameters),
        "artifacts": dict(digests),
        "outputs": {"parameters": dict(step.output_parameters), "artifacts": dict(step.output_artifacts)},
    }


@dataclass(frozen=True)
class Bench:
    """A step's working folder while we hold its lock; `lock` is the open file that holds it, for the child to inherit."""

    path: Path
    lock: int

    @property
    def outputs(self) -> Path:
        """Where the step's outputs lie until they are committed: one folder, so that one rename commits them all."""
        return self.path / ".outputs"


class Store:
    """A store below one folder, shared by any number of runs at once."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.done, self.work = self.root / "done", self.root / "work"

    def key(self, parts: Mapping[str, Any]) -> str:
        """Key of a result: SHA-256 of its ingredients."""
        return digest_json(parts)

    def bench(self, step: Step, key: str) -> Path:
        """The working folder of a step: by content, so that the same work finds its checkpoint again, whatever the run."""
        return self.work / f"{step.image_name}-{key[:16]}"

    def find(self, key: str, consumed: Mapping[str, str]) -> tuple[Entry | None, str]:
        """The stored result for `key` and, where there is one that cannot be used, why. The artifacts are hashed again."""
        folder = self.done / key
        with self.shared():
            if not folder.exists():
                return None, ""
            try:
                entry = Entry.read(folder)
                os.utime(folder)  # the time of last use, which `gc` goes by
            except (ValueError, OSError) as error:
                return None, str(error)
        missing = [name for name in consumed if not entry.has(name)]
        why = f"it lacks {missing[0]}" if missing else entry.damage()
        return (None, why) if why else (entry, "")

    def drop(self, key: str) -> None:
        """Remove an entry: at once out of the way, then from the disk."""
        with tempfile.TemporaryDirectory(prefix=".dropped-", dir=self.done, ignore_cleanup_errors=True) as aside:
            if (self.done / key).exists():
                (self.done / key).rename(Path(aside) / key)

    def commit(self, bench: Bench, entry: Entry, place: Path | None = None) -> Entry:
        """Move a bench's outputs into the store (or to `place`) as one whole entry, or leave nothing there. Call under the bench's lock."""
        write_text(bench.outputs / "entry.json", entry.to_json())
        if place is None:
            place = self.done / entry.key
            self.done.mkdir(parents=True, exist_ok=True)
            bench.outputs.rename(place)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(bench.outputs, place)  # perhaps to another disk
        return Entry.read(place)

    @contextmanager
    def shared(self, exclusive: bool = False) -> Iterator[None]:
        """Hold the lock that keeps `gc` from removing an entry in the instant in which a run finds it."""
        self.done.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.done, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def locked(self, path: Path, waiting: Callable[[], bool]) -> Iterator[Bench | None]:
        """Hold the lock of a working folder. While another has it, `waiting` is asked every 0.1 s; if it says no, the bench is None."""
        handle = _lock(path)
        while handle is None:
            if not waiting():
                yield None
                return
            time.sleep(0.1)
            handle = _lock(path)
        try:
            yield Bench(path, handle)
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)  # also for a child's child that outlived the step and still holds the file open
            os.close(handle)


def clear(path: Path) -> None:
    """Make `path` an empty folder."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)


def _lock(path: Path) -> int | None:
    path.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:  # `gc` was quicker
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(handle), path.stat()):
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(handle)
    return None
