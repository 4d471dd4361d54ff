"""Copies the registry of a model between folders and buckets, byte for byte (REG-1).

The versions are copied before the entries of the log. So the target is a valid registry at each moment, and an interrupted copy can be
repeated. The target has to be empty, or an earlier state of the source.
"""

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from robo_poet.atomic import create_once, make_folder
from robo_poet.digest import digest_bytes
from robo_poet.errors import BadInput
from robo_poet.features.prompt_snapshot import FOLDER as PROMPTS
from robo_poet.features.prompt_snapshot import names_a_snapshot
from robo_poet.registry.log.entry import Conflict, Corrupt
from robo_poet.registry.log.log import FolderLog, LogStore
from robo_poet.registry.log.signed_log import SignedLog
from robo_poet.registry.state.state import Record, fold
from robo_poet.registry.storage.bucket import BucketFiles
from robo_poet.registry.storage.bucket_log import BucketLog
from robo_poet.registry.trust.trust import Trust
from robo_poet.registry.versions.version import MANIFEST_NAME, Manifest, folder_of


class Files(Protocol):
    """The files of a registry, in a folder or a bucket."""

    address: str

    def names(self, folder: str) -> list[str]:
        """Return the names of all files below a folder, relative to it, sorted."""

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, None if it does not exist."""

    def create(self, name: str, data: bytes) -> bool:
        """Create a file atomically; return False if it exists."""


class FolderFiles:
    """The files below a folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root, self.address = root, str(root.resolve())

    def names(self, folder: str) -> list[str]:
        """See `Files.names`."""
        base = self._root / folder
        return sorted(path.relative_to(base).as_posix() for path in base.rglob("*") if path.is_file())

    def read(self, name: str) -> bytes | None:
        """See `Files.read`."""
        path = self._root / name
        return path.read_bytes() if path.is_file() else None

    def create(self, name: str, data: bytes) -> bool:
        """See `Files.create`."""
        path = self._root / name
        make_folder(path.parent)
        try:
            return create_once(path, data, mode=0o444, temporary_folder=self._root)
        except OSError as error:
            where, why = self.address, os.strerror(error.errno or 0).lower()
            raise BadInput(f"the file {name} cannot be written ({why})", where=where, remedy="choose another target") from None


def open_files(address: str) -> Files:
    """Return the files of a folder, or of `gs://bucket/prefix`."""
    return BucketFiles(address) if address.startswith("gs://") else FolderFiles(Path(address))


@dataclass(frozen=True)
class Copied:
    """What a copy did: number of versions in the target, and of entries that it appended, out of `entries`."""

    versions: int
    appended: int
    entries: int


def copy(source: Files, target: Files, model: str, trust: Trust) -> Copied:
    """Copy a model, with its snapshots of prompts.

    The source is verified: hash chain, signatures, remembered head, and the digests of all files.

    Raises:
        BadInput: the source has no such model, or a bucket cannot be used.
        Corrupt: the source differs from what was written.
        Conflict: the target has another log, or other files of the same names.
    """
    log_from, log_to = _log(source, model), _log(target, model)
    entries = SignedLog(log_from, model, f"{source.address}/{model}", trust).read(again=True)
    if not entries:
        raise BadInput(f"there is no model {model}", where=source.address, remedy="name another one with --model")
    already = log_to.last()
    _check_target(log_from, log_to, already, len(entries))
    kept = [record for record in fold(entries).records if not record.purged]
    for record in kept:
        _copy_version(source, target, model, record)
    for decision in dict.fromkeys(d for d in (entry.statement.details.get("decision") for entry in entries) if isinstance(d, str)):
        path = f"{model}/decisions/{decision}.json"
        _put(target, path, _intact(source, path, decision))
    for name in filter(names_a_snapshot, source.names(f"{model}/{PROMPTS}")):
        path = f"{model}/{PROMPTS}/{name}"
        _put(target, path, _intact(source, path, PurePosixPath(name).stem))
    for name in source.names(f"{model}/log-of-form-1"):
        _put(target, f"{model}/log-of-form-1/{name}", source.read(f"{model}/log-of-form-1/{name}") or b"")
    for index in range(already + 1, len(entries) + 1):
        data = log_from.read(index) or b""
        if not log_to.create(index, data) and log_to.read(index) != data:
            raise Conflict("another program changed the log meanwhile", where=log_to.where(index), remedy="run again")
    SignedLog(log_to, model, f"{target.address}/{model}", trust).read(again=True)
    return Copied(len(kept), len(entries) - already, len(entries))


def models(files: Files) -> list[str]:
    """Return the names of the models in a registry, sorted."""
    return sorted({name.split("/")[0] for name in files.names("") if name.split("/")[1:2] == ["log"]})


def _log(files: Files, model: str) -> LogStore:
    return BucketLog(files, model) if isinstance(files, BucketFiles) else FolderLog(Path(files.address) / model / "log")


def _check_target(log_from: LogStore, log_to: LogStore, already: int, count: int) -> None:
    if already > count:
        what = f"the target has {already} log entries, and the source only {count}"
        raise Conflict(what, where=log_to.where(already), remedy="copy in the other direction, or to another target")
    for index in range(1, already + 1):
        if log_to.read(index) != log_from.read(index):
            raise Conflict("the target has another log", where=log_to.where(index), remedy="copy to another target")


def _copy_version(source: Files, target: Files, model: str, record: Record) -> None:
    folder = f"{model}/versions/{folder_of(Path(), record.digest).name}"
    manifest = _intact(source, f"{folder}/{MANIFEST_NAME}", record.digest)
    for name, digest in Manifest.from_bytes(manifest).files.items():
        _put(target, f"{folder}/{name}", _intact(source, f"{folder}/{name}", digest))
    _put(target, f"{folder}/{MANIFEST_NAME}", manifest)
    if record.attestation:
        path = f"{model}/attestations/{record.attestation}.json"
        _put(target, path, _intact(source, path, record.attestation))


def _intact(files: Files, name: str, digest: str) -> bytes:
    data = files.read(name)
    if data is None or digest_bytes(data) != digest:
        what = "the file is missing" if data is None else "the file was changed after the registration"
        raise Corrupt(what, where=f"{files.address}/{name}", remedy="restore it from a backup")
    return data


def _put(files: Files, name: str, data: bytes) -> None:
    if not files.create(name, data) and files.read(name) != data:
        raise Conflict("the target has another file of this name", where=f"{files.address}/{name}", remedy="copy to another target")
