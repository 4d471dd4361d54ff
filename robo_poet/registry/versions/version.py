"""The content of a version: its manifest and its folder (REG-1, PIPE-5).

A manifest contains no time and no version number. So the same content always has the same manifest. If it is registered again, the result
is the same version.

A folder is written under a temporary name, synced, renamed to its digest, and never changed. A killed registration leaves a folder without
a log entry. Such a folder is harmless. It is reused when the same content is registered again.
"""

import errno
import json
import math
import os
import shutil
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from robo_poet.atomic import make_folder, remove_leftovers, sync_folder, sync_tree
from robo_poet.digest import digest_bytes, digest_file
from robo_poet.errors import BadInput
from robo_poet.registry.log.entry import Corrupt, canonical
from robo_poet.registry.state.state import Stage
from robo_poet.registry.versions.attestation import Attestations
from robo_poet.registry.versions.remote import Remote

MANIFEST_NAME = "manifest.json"  # file name, at the top of the version's folder
FOLDER_DIGITS = 16  # of the manifest's digest, in the name of the version's folder


@dataclass(frozen=True)
class Manifest:
    """The content of a version.

    Args:
        model: name of the model. So equal files under two names are two versions.
        files: relative POSIX path → SHA-256 of every file except the manifest.
        metrics: metrics of the evaluation; None if one was not finite.
        lineage: digests, seed, code and settings of the training run (JSON).
        decision: the verdicts of the gates (JSON).
    """

    model: str
    files: Mapping[str, str]
    metrics: Mapping[str, float | None]
    lineage: Mapping[str, Any]
    decision: Mapping[str, Any]

    def to_bytes(self) -> bytes:
        """Return the bytes of the manifest as stored."""
        return canonical({name: value for name, value in asdict(self).items() if name != "model" or value})

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the stored manifest, which identifies the version."""
        return digest_bytes(self.to_bytes())

    @classmethod
    def from_bytes(cls, data: bytes) -> "Manifest":
        """Parse a manifest. The caller has checked its digest. Manifests of form 1 have no model name; theirs is empty."""
        return cls(**{"model": "", **json.loads(data)})


def finite_metrics(metrics: Mapping[str, float | None]) -> dict[str, float | None]:
    """Replace metrics that are not finite by None. The evaluation's own files keep the measured values."""
    return {name: value if isinstance(value, int | float) and math.isfinite(value) else None for name, value in metrics.items()}


def list_sources(files: Mapping[str, Path]) -> dict[str, Path]:
    """List every file to store: its relative POSIX path in the version → its current path. Folders are walked; links are followed.

    Args:
        files: name in the version → a file or a folder.

    Raises:
        BadInput: a path does not exist, or there is no file.
        ValueError: a name is not a plain file name, or is the manifest's.
    """
    paths: dict[str, Path] = {}
    for name, path in files.items():
        if not name or name.startswith(".") or "/" in name or name == MANIFEST_NAME:
            raise ValueError(f"{name!r} cannot be the name of an artifact in a version")
        if path.is_dir():
            paths.update({f"{name}/{p.relative_to(path).as_posix()}": p for p in path.rglob("*") if p.is_file()})
        elif path.exists():
            paths[name] = path
        else:
            raise BadInput("no such file or folder", where=str(path), remedy="give an existing path")
    if not paths:
        raise BadInput("a version needs at least one file", where=", ".join(map(str, files.values())) or "register")
    return paths


def digest_sources(paths: Mapping[str, Path]) -> dict[str, str]:
    """Return the SHA-256 of each file."""
    return {name: digest_file(path) for name, path in paths.items()}


RESTORE = "restore the version's folder from a backup, or register the version again"


@dataclass(frozen=True)
class Version:
    """A registered version.

    Args:
        model: name of the model.
        digest: SHA-256 of its manifest.
        why: the reason of its stage.
        folder: its files; read-only. With `remote`, call `fetch` before a file is read from it.
        purged: its files were removed.
        attestation: SHA-256 of its attestation, from the log.
        attestations: the attestations of the model; None to check only the digests.
        remote: the bucket that has the files; None if `folder` is the version itself.
    """

    model: str
    number: int
    digest: str
    stage: Stage
    why: str
    folder: Path
    purged: bool = False
    attestation: str = ""
    attestations: Attestations | None = field(default=None, repr=False, compare=False)
    remote: Remote | None = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        """Return the model's name and the number, such as `shakespeare/3`. It is unique in a registry."""
        return f"{self.model}/{self.number}"

    @property
    def address(self) -> str:
        """Return the folder of the version, or its address in a bucket."""
        return self.remote.version_address(self.digest) if self.remote else str(self.folder)

    def fetch(self, names: Collection[str] | None = None) -> Path:
        """Return the folder, after these files are in it, by default all. A version in a folder has them; they are not verified.

        Args:
            names: relative POSIX paths.

        Raises:
            BadInput: the files were purged, or a bucket cannot be read.
            Corrupt: a file in a bucket is missing or changed.
        """
        if self.remote:
            self._refuse_purged()
            self.remote.fetch(self.digest, names)
        return self.folder

    def manifest(self) -> Manifest:
        """Return the version's manifest.

        Raises:
            BadInput: the files were purged.
            Corrupt: the manifest is missing or changed.
        """
        self._refuse_purged()
        return read_manifest(self.fetch(()), self.digest)

    def read(self, name: str) -> bytes:
        """Return the content of one file, checked against its digest.

        Args:
            name: relative POSIX path.

        Raises:
            BadInput: the version has no such file, or the files were purged.
            Corrupt: the manifest or the file is missing or changed.
        """
        files = self.manifest().files
        if name not in files:
            raise BadInput(f"the version has no file {name}", where=self.name, remedy="train and register it again")
        path = self.fetch([name]) / name
        try:
            data = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise Corrupt("the file is missing", where=str(path), remedy=RESTORE) from None
        if digest_bytes(data) != files[name]:
            raise Corrupt("the file was changed after the registration", where=str(path), remedy=RESTORE)
        return data

    def verify(self) -> None:
        """Check every file against its digest, and the signed attestation of the version. From a bucket, the files are fetched.

        Raises:
            Corrupt: a file is missing, changed or unexpected; the message names at most three such files. Or no trusted key has signed
                an attestation of this version.
        """
        self._refuse_purged()
        if self.remote:
            self.remote.check(self.digest)
        manifest = self.manifest()
        check_files(self.folder, manifest.files)
        if self.attestations is not None:
            self.attestations.check(self.number, manifest.to_bytes(), self.attestation)

    def _refuse_purged(self) -> None:
        if self.purged:
            raise BadInput("the files were purged", where=self.name, remedy="the log of the registry has its history")


def folder_of(versions: Path, digest: str) -> Path:
    """Return the folder of the version with this manifest digest."""
    return versions / digest[:FOLDER_DIGITS]


def read_manifest(folder: Path, digest: str) -> Manifest:
    """Read the manifest in `folder`.

    Raises:
        Corrupt: it is missing or does not have this SHA-256.
    """
    path = folder / MANIFEST_NAME
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise Corrupt("the manifest is missing", where=str(path), remedy=RESTORE) from None
    if digest_bytes(data) != digest:
        raise Corrupt("the manifest was changed after the registration", where=str(path), remedy=RESTORE)
    return Manifest.from_bytes(data)


def check_files(folder: Path, files: Mapping[str, str]) -> None:
    """Compare a folder with the digests of its files.

    Raises:
        Corrupt: they differ. Links and empty folders count as additions.
    """

    def fail(error: OSError) -> None:
        raise error  # an unreadable folder cannot be verified

    present: set[str] = set()
    for root, folders, names in os.walk(folder, onerror=fail):
        relative = Path(root).relative_to(folder)
        empty = [relative] if relative.parts and not folders and not names else []
        links = [relative / name for name in folders if Path(root, name).is_symlink()]
        present.update(p.as_posix() for p in (*empty, *links, *(relative / name for name in names)))

    def kept(name: str) -> bool:
        path = folder / name
        return path.is_file() and not path.is_symlink() and digest_file(path) == files[name]

    problems = [f"{name} is missing" for name in sorted(files.keys() - present)]
    problems += [f"{name} was added" for name in sorted(present - files.keys() - {MANIFEST_NAME})]
    problems += [f"{name} was changed" for name in sorted(files.keys() & present) if not kept(name)]
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise Corrupt(", ".join(problems[:3]) + more, where=str(folder), remedy=RESTORE)


def remove_folder(folder: Path) -> int:
    """Remove the folder of a version and return its size in bytes. A kill leaves a hidden folder, which the next call removes."""
    hidden = folder.with_name(f".purged-{folder.name}")
    if folder.is_dir():
        folder.rename(hidden)
        sync_folder(folder.parent)
    if not hidden.is_dir():
        return 0
    size = sum(path.stat().st_size for path in hidden.rglob("*") if path.is_file())
    shutil.rmtree(hidden)
    return size


def write_version(versions: Path, sources: Mapping[str, Path], manifest: Manifest) -> Path:
    """Store files and manifest durably under `versions` and return the folder. An existing valid folder is reused.

    Args:
        sources: relative path in the version → the file to copy; the manifest lists the same files.

    Raises:
        BadInput: a file changed during the copy.
        Corrupt: an existing folder of this name has other content.
    """
    target = folder_of(versions, manifest.digest)
    make_folder(versions)
    remove_leftovers(versions, f".{'[0-9a-f]' * FOLDER_DIGITS}.*")  # as `_publish` names them
    if target.exists() or not _publish(target, sources, manifest):
        try:
            check_files(target, read_manifest(target, manifest.digest).files)
        except Corrupt as error:
            raise Corrupt(
                f"the folder of an interrupted registration is damaged: {error.what}", where=error.where, remedy=f"remove {target}"
            ) from None
    sync_folder(versions)  # also for a reused folder: its writer may have died before the sync
    return target


def _publish(target: Path, sources: Mapping[str, Path], manifest: Manifest) -> bool:
    """Copy to a temporary folder and rename it; return False if another registration of the same content was first."""
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        _copy_files(temporary, sources, manifest)
        temporary.rename(target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        return False
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return True


def _copy_files(folder: Path, sources: Mapping[str, Path], manifest: Manifest) -> None:
    for name, source in sources.items():
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
        if digest_file(copy) != manifest.files[name]:
            raise BadInput("the file changed while it was registered", where=str(source), remedy="run the producing step again")
        copy.chmod(0o444)
    (folder / MANIFEST_NAME).write_bytes(manifest.to_bytes())
    (folder / MANIFEST_NAME).chmod(0o444)
    folder.chmod(0o755)
    sync_tree(folder)
