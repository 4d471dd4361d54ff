"""A model of a registry in a bucket, and the part of it that this user has read, as a folder with the layout of a registry.

A file is fetched when it is needed, under a temporary name, and gets its own name after its SHA-256 was checked against the manifest of the
version; the signed log names the SHA-256 of the manifest. So a name in the cache promises nothing: a damaged, replaced or missing file is
fetched again, several processes can share the cache, and a kill leaves only a temporary file.
"""

import base64
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from robo_poet.atomic import make_folder
from robo_poet.digest import CHUNK, digest_bytes, digest_file
from robo_poet.errors import BadInput
from robo_poet.registry.log.entry import Corrupt
from robo_poet.registry.storage.bucket import BucketFiles, StoredFile, Unavailable
from robo_poet.registry.storage.bucket_log import PARALLEL, BucketLog
from robo_poet.registry.storage.cache import VARIABLE, cache_folder
from robo_poet.registry.versions.version import MANIFEST_NAME, Manifest, folder_of

LEFTOVER_SECONDS = 86_400  # age of a temporary file that no running process writes
RESTORE = "restore this object from a backup, or register the version again"


class Mirror:
    """The model `model` of the registry at `address`, `gs://bucket/prefix`.

    Attributes:
        address: of the model.
        folder: the local folder with `log`, `versions` and `attestations`; incomplete.
        log: the store of its log.
    """

    def __init__(self, address: str, model: str) -> None:
        self._files = BucketFiles(address)
        self._model = model
        self.address = f"{self._files.address}/{model}"
        self.folder = cache_folder() / "registries" / digest_bytes(self._files.address.encode())[:32] / model
        self.log = BucketLog(self._files, model, self.folder / "log")

    def fetch(self, digest: str, names: Collection[str] | None = None) -> None:
        """Make files of a version, and its manifest, present in `folder`, with the registered content.

        Args:
            digest: SHA-256 of the version's manifest.
            names: relative POSIX paths; None for all files.

        Raises:
            Unavailable: the bucket cannot be read, or the cache cannot be written.
            Corrupt: a file in the bucket is missing, or differs from what was registered.
        """
        manifest = self._fetch_manifest(digest)
        self._fetch_all(digest, {name: sha256 for name, sha256 in manifest.files.items() if names is None or name in names})

    def check(self, digest: str) -> None:
        """Check that the bucket holds exactly the registered files of a version, and make them present in `folder`.

        A cached file is compared with the MD5 that the bucket computed; where the bucket lists none, it is fetched again.

        Raises:
            Unavailable, Corrupt: see `fetch`.
        """
        version = _version(digest)
        local, listed = self.folder / version, self._files.listed(f"{self._model}/{version}")
        other = {name for name, file in listed.items() if not _same(local / name, file)}
        files = self._fetch_manifest(digest, again=MANIFEST_NAME in other).files
        problems = [f"{name} is missing" for name in sorted({*files, MANIFEST_NAME} - listed.keys())]
        problems += [f"{name} was added" for name in sorted(listed.keys() - files.keys() - {MANIFEST_NAME})]
        if problems:
            more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
            raise Corrupt(", ".join(problems[:3]) + more, where=f"{self.address}/{version}", remedy=RESTORE)
        self._fetch_all(digest, files, again=other)
        _remove_others(local, {*files, MANIFEST_NAME})

    def upload(self, sources: Mapping[str, Path], manifest: Manifest) -> None:
        """Store a version: its files, and its manifest last. An interrupted upload can be repeated. The files stay in the cache.

        Args:
            sources: relative path in the version → the file; the manifest lists the same files.

        Raises:
            BadInput: a file changed meanwhile.
            Unavailable: the bucket cannot be written.
            Corrupt: the bucket has another file of this name.
        """
        version = _version(manifest.digest)
        for name, source in sources.items():
            data = source.read_bytes()
            if digest_bytes(data) != manifest.files[name]:
                raise BadInput("the file changed while it was registered", where=str(source), remedy="run the producing step again")
            self.store_file(f"{version}/{name}", data)
        self.store_file(f"{version}/{MANIFEST_NAME}", manifest.to_bytes())

    def remove(self, digest: str) -> int:
        """Remove the files of a version from the bucket and from the cache. Return the freed bytes of the bucket. Safe to repeat."""
        version = _version(digest)
        listed = self._files.listed(f"{self._model}/{version}")
        for name in listed:
            self._files.remove(f"{self._model}/{version}/{name}")
        self.drop([digest])
        return sum(file.size for file in listed.values())

    def drop(self, digests: Collection[str]) -> None:
        """Remove versions from the cache. A purge on another machine has removed them from the bucket."""
        for digest in digests:
            shutil.rmtree(self.folder / _version(digest), ignore_errors=True)

    def version_names(self) -> list[str]:
        """Return the names of the folders of versions in the bucket."""
        return self._files.folders(f"{self._model}/versions")

    def version_address(self, digest: str) -> str:
        """Return the address of a version, for messages."""
        return f"{self.address}/{_version(digest)}"

    def _fetch_manifest(self, digest: str, *, again: bool = False) -> Manifest:
        name = f"{_version(digest)}/{MANIFEST_NAME}"
        self.fetch_file(name, digest, again=again)
        return Manifest.from_bytes((self.folder / name).read_bytes())

    def _fetch_all(self, digest: str, files: Mapping[str, str], again: Collection[str] = ()) -> None:
        """Fetch the files that the cache does not hold, and those in `again`, several at the same time."""
        version = _version(digest)
        _check_names(files, f"{self.address}/{version}/{MANIFEST_NAME}")
        missing = [name for name, sha256 in files.items() if name in again or not _holds(self.folder / version / name, sha256)]
        if not missing:
            return
        with ThreadPoolExecutor(PARALLEL) as pool:
            for future in [pool.submit(self.fetch_file, f"{version}/{name}", files[name], again=name in again) for name in missing]:
                future.result()

    def fetch_file(self, name: str, sha256: str, *, again: bool = False) -> None:
        """Make a file of the model present in `folder`; with `again`, from the bucket, also if the cache has it. Errors as in `fetch`."""
        target, address = self.folder / name, f"{self.address}/{name}"
        if not again and _holds(target, sha256):
            return
        with self._new(target) as temporary:
            if not self._files.download(f"{self._model}/{name}", temporary):
                raise Corrupt("the object is missing", where=address, remedy=RESTORE)
            if digest_file(temporary) != sha256:
                raise Corrupt("the object was changed after the registration", where=address, remedy=RESTORE)

    def store_file(self, name: str, data: bytes) -> None:
        """Store a file of the model. Errors as in `upload`."""
        path = f"{self._model}/{name}"
        if not self._files.create(path, data) and self._files.read(path) != data:
            what = "the object of an interrupted registration is damaged"
            raise Corrupt(what, where=f"{self.address}/{name}", remedy="remove it, and register the version again")
        with self._new(self.folder / name) as temporary:
            temporary.write_bytes(data)

    @contextmanager
    def _new(self, target: Path) -> Iterator[Path]:
        """Yield a temporary path, which gets its name at the end.

        Raises:
            Unavailable: the cache cannot be written.
        """
        staging = self.folder / ".fetching"  # beside the versions: a leftover is not a file of a version
        try:
            make_folder(staging)
            self._sweep(staging)
            handle, name = tempfile.mkstemp(dir=staging)
            os.close(handle)
            temporary = Path(name)
            try:
                yield temporary
                temporary.chmod(0o444)
                if target.is_symlink() or target.is_dir():
                    _remove(target)
                target.parent.mkdir(parents=True, exist_ok=True)
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            remedy = f"free space, or set {VARIABLE} to another folder"
            raise Unavailable(
                f"the cache of the registry cannot be written ({error.strerror})", where=str(staging), remedy=remedy
            ) from None

    def _sweep(self, staging: Path) -> None:
        oldest = time.time() - LEFTOVER_SECONDS
        for path in staging.iterdir():
            try:
                if path.stat().st_mtime < oldest:
                    path.unlink()
            except FileNotFoundError:
                continue  # another process has finished or swept it


def _version(digest: str) -> str:
    return folder_of(Path("versions"), digest).as_posix()


def _remove_others(folder: Path, kept: Collection[str]) -> None:
    """Remove what is in the cached folder of a version and not in `kept`."""
    for root, folders, names in os.walk(folder, topdown=False):
        for name in (*names, *folders):
            path = Path(root, name)
            if path.is_symlink() or (name in names and path.relative_to(folder).as_posix() not in kept):
                _remove(path)
            elif name in folders and not any(path.iterdir()):
                path.rmdir()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _holds(path: Path, sha256: str) -> bool:
    return path.is_file() and not path.is_symlink() and digest_file(path) == sha256


def _same(path: Path, stored: StoredFile) -> bool:
    """Return True if a cached file has the MD5 of a stored one. MD5 is no proof against its author, but the author signed the version."""
    if not stored.md5 or path.is_symlink() or not path.is_file() or path.stat().st_size != stored.size:
        return False
    state = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            state.update(chunk)
    return base64.b64encode(state.digest()).decode() == stored.md5


def _check_names(names: Collection[str], where: str) -> None:
    """Refuse names that point outside the folder of the version."""
    for name in names:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or path.as_posix() != name or name == MANIFEST_NAME:
            raise Corrupt(f"the manifest names a file {name!r} outside the version", where=where)
