"""The content-addressed store (PIPE-4): `done/<key>/` has the results of finished steps, `work/<step>-<key>/` the working folders, and
`work/scratch-…/` temporary files of commands.

A key is the SHA-256 of everything that a result can depend on.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.run.ir.steps import Step
from pipelines.run.store.entry import Entry
from robo_poet.atomic import write_text
from robo_poet.digest import digest_json


def ingredients(step: Step, parameters: Mapping[str, Any], digests: Mapping[str, str]) -> dict[str, Any]:
    """Return everything that a step's result can depend on. Paths and step names are not included.

    Args:
        parameters: input parameters, in the form of `values.plain`.
        digests: input artifact → SHA-256 of its content.
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


SCRATCH = "scratch-"  # prefix of the folders of `Store.scratch`


@dataclass(frozen=True)
class WorkingFolder:
    """A locked working folder of a step, or of a command. `lock` is the file descriptor of the lock; child processes inherit it."""

    path: Path
    lock: int

    @property
    def outputs(self) -> Path:
        """Folder of the step's outputs before the commit. It is one folder, so that one rename commits all outputs."""
        return self.path / ".outputs"


class Store:
    """A store in one folder. Concurrent runs can share it."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.done, self.work = self.root / "done", self.root / "work"

    def key(self, parts: Mapping[str, Any]) -> str:
        """Return the key of a result: the SHA-256 of its ingredients."""
        return digest_json(parts)

    def working_folder(self, step: Step, key: str) -> Path:
        """Return the working folder of a step. It depends on the key, not on the run, so a later run finds the checkpoints."""
        return self.work / f"{step.image_name}-{key[:16]}"

    def find(self, key: str, consumed: Mapping[str, str], *, touch: bool = True) -> tuple[Entry | None, str]:
        """Return the stored result for `key`, and the reason if there is one that cannot be used. Artifacts are hashed again.

        Args:
            consumed: outputs that the result must have.
            touch: note the time of use, for `gc`, and lock the store. False writes nothing.
        """
        folder = self.done / key
        with self.shared() if touch else nullcontext():
            if not os.path.lexists(folder):
                return None, ""
            try:
                entry = Entry.read(folder)
                if touch:
                    os.utime(folder)  # time of last use, for `gc`
            except (ValueError, OSError) as error:
                return None, str(error)
        if folder.is_symlink() or (folder / "artifacts").is_symlink():
            return None, "the folder of the result is a link"
        if entry.key != key:
            return None, "it is the result of other inputs"
        if extra := sorted(path.name for path in (folder / "artifacts").glob("*") if path.name not in entry.artifacts):
            return None, f"it contains the file {extra[0]}, which the step did not write"
        missing = [name for name in consumed if not entry.has(name)]
        reason = f"the output {missing[0]} is missing" if missing else entry.damage()
        return (None, reason) if reason else (entry, "")

    def drop(self, key: str) -> None:
        """Remove an entry. It is renamed first, so that no run sees a partly deleted entry."""
        with tempfile.TemporaryDirectory(prefix=".dropped-", dir=self.done, ignore_cleanup_errors=True) as temporary:
            if os.path.lexists(self.done / key):
                (self.done / key).rename(Path(temporary) / key)

    def commit(self, working_folder: WorkingFolder, entry: Entry, place: Path | None = None) -> Entry:
        """Move the outputs of a working folder into the store with one rename, or to `place`. The caller must hold the folder's lock."""
        write_text(working_folder.outputs / "entry.json", entry.to_json())
        if place is None:
            place = self.done / entry.key
            self.done.mkdir(parents=True, exist_ok=True)
            working_folder.outputs.rename(place)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(working_folder.outputs, place)  # may be on another disk, where rename fails
        return Entry.read(place)

    @contextmanager
    def shared(self, exclusive: bool = False) -> Iterator[None]:
        """Hold the store's lock, so that `gc` cannot remove an entry while a run looks it up. `gc` holds it exclusively."""
        while (handle := self._open_locked(fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)) is None:
            pass
        try:
            yield
        finally:
            os.close(handle)

    @contextmanager
    def locked(self, path: Path, waiting: Callable[[], bool]) -> Iterator[WorkingFolder | None]:
        """Lock a working folder. While another run holds the lock, call `waiting` every 0.1 s; if it returns False, yield None."""
        handle = _lock(path)
        while handle is None:
            if not waiting():
                yield None
                return
            time.sleep(0.1)
            handle = _lock(path)
        try:
            yield WorkingFolder(path, handle)
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)  # explicitly, because a surviving grandchild may still have the file open
            os.close(handle)

    @contextmanager
    def scratch(self) -> Iterator[WorkingFolder]:
        """Yield a locked folder for the files of a command that is not a run, and remove it at the end.

        The folder of a command that was killed is removed by the next call, or by `gc`; `forget` searches it like a working folder. A store
        that did not exist before is removed too, unless something else was stored meanwhile.
        """
        is_new = not self.root.exists()
        with self.shared(exclusive=True):  # so that no folder is removed between its creation and its lock
            for path in self.work.glob(f"{SCRATCH}*"):
                if (handle := _lock(path)) is not None:
                    shutil.rmtree(path, ignore_errors=True)
                    os.close(handle)
            self.work.mkdir(exist_ok=True)
            path = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=self.work))
            handle = _lock(path)
        assert handle is not None
        try:
            yield WorkingFolder(path, handle)
        finally:
            shutil.rmtree(path, ignore_errors=True)
            os.close(handle)
            if is_new:
                with self.shared(exclusive=True), suppress(OSError):  # not empty
                    for folder in (self.work, self.done, self.root):
                        folder.rmdir()

    def _open_locked(self, operation: int) -> int | None:
        """Wait for the store's lock and return its file descriptor; None if the store was removed in between."""
        handle = _open_folder(self.done)
        if handle is None:
            return None
        fcntl.flock(handle, operation)
        if _is_open_at(handle, self.done):
            return handle
        os.close(handle)
        return None


def clear(path: Path) -> None:
    """Create `path` as an empty folder; remove its content if it exists."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)


def _lock(path: Path) -> int | None:
    """Create and lock a folder; None if another program has the lock, or removed the folder in between."""
    handle = _open_folder(path)
    if handle is None:
        return None
    with suppress(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_open_at(handle, path):
            return handle
    os.close(handle)
    return None


def _open_folder(path: Path) -> int | None:
    """Create and open a folder; None if another program, such as `gc` or `scratch`, removed it in between."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, FileExistsError):
        if path.is_file() or path.is_symlink():  # not a folder
            raise
        return None


def _is_open_at(handle: int, path: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), path.stat())
    return False
