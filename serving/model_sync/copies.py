"""Verified copies of registered versions in the folder of a model server: `<folder>/<model>/<number>/` (REG-4).

The registry stores versions by digest, but TensorFlow Serving needs folders named by number. Each has a copy, not links: the model server
reads the files later, and a change of the registry after the verification must not reach it.
"""

import shutil
import tempfile
from pathlib import Path

from robo_poet.atomic import new_folder, sync_tree
from robo_poet.digest import digest_file
from robo_poet.registry.versions.version import Version

EXTRA_FOLDER = "assets.extra"  # of a SavedModel; TensorFlow Serving replays the requests in its WARM_UP_FILE
WARM_UP_FILE = "tf_serving_warmup_requests"
SAVED_MODEL = "model/saved_model/"  # in a version


class Copies:
    """The copies of the versions of one model.

    Args:
        base: folder of the copies; created if missing. A kill leaves hidden folders in it, which `clean` removes.
        xla: use the warm-up requests of the XLA signatures; only for a server that enables them.
    """

    def __init__(self, base: Path, *, xla: bool = True) -> None:
        self.base, self._xla = base, xla
        self._verified: set[tuple[int, str]] = set()

    def numbers(self) -> frozenset[int]:
        """Return the versions that have a copy."""
        if not self.base.is_dir():
            return frozenset()
        return frozenset(int(path.name) for path in self.base.iterdir() if path.name.isascii() and path.name.isdigit())

    def add(self, version: Version) -> bool:
        """Verify a version and copy it. Return False if the folder has an equal copy already.

        Only registered bytes are served. So each version is verified once per process, even if its copy already exists.

        Raises:
            BadInput: the files differ from the registered ones, or no trusted key has signed them.
            OSError: the copy cannot be written, for example because the disk is full.
        """
        key, target = (version.number, version.digest), self.base / str(version.number)
        if key in self._verified and target.is_dir():
            return False
        version.verify()
        added = _copy(version, target, self._xla)
        self._verified.add(key)
        return added

    def remove(self, number: int) -> None:
        """Remove the copy of a version. At each moment it is there as a whole or not at all."""
        hidden = Path(tempfile.mkdtemp(prefix=f".removed-{number}.", dir=self.base))
        (self.base / str(number)).rename(hidden / str(number))
        shutil.rmtree(hidden)
        self._verified = {key for key in self._verified if key[0] != number}

    def clean(self) -> None:
        """Remove the hidden folders that killed processes left. No other process may write to the folder."""
        for path in self.base.iterdir() if self.base.is_dir() else ():
            if path.name.startswith(".") and path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)


def _copy(version: Version, target: Path, xla: bool) -> bool:
    """Copy the SavedModel of a version to `target`, each file checked against its digest. Return False if `target` is equal already."""
    digests = version.manifest().files
    names = {name: name.removeprefix(SAVED_MODEL) for name in digests if name.startswith(SAVED_MODEL)}
    wanted = {name: below for name, below in names.items() if not below.startswith(f"{EXTRA_FOLDER}/")}
    warm_up = f"{SAVED_MODEL}{EXTRA_FOLDER}/{WARM_UP_FILE}{'_xla' if xla else ''}"
    if warm_up in names:
        wanted[warm_up] = f"{EXTRA_FOLDER}/{WARM_UP_FILE}"
    if _holds(target, {below: digests[name] for name, below in wanted.items()}):
        return False
    with new_folder(target) as staging:
        for name, below in wanted.items():
            path = staging / below
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(version.read(name))
        sync_tree(staging)
    return True


def _holds(folder: Path, digests: dict[str, str]) -> bool:
    """Return True if a folder has exactly these files."""
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()}
    if folder.is_symlink() or paths.keys() != digests.keys():
        return False
    return all(not path.is_symlink() and digest_file(path) == digests[name] for name, path in paths.items())
