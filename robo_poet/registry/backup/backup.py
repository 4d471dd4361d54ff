"""Writes the backup of a registry folder (REG-4).

It is a consistent state although others may append meanwhile: the newest entry of each log is read first, and then only what the log up to
this entry names. Versions, attestations and decisions are written before their entries, so all of it is there and never changes.
"""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from robo_poet.atomic import sync_folder
from robo_poet.errors import BadInput
from robo_poet.features.prompt_snapshot import FOLDER as PROMPTS
from robo_poet.features.prompt_snapshot import names_a_snapshot
from robo_poet.registry.backup.archive import ArchiveWriter, write_archive
from robo_poet.registry.backup.secret import Secret
from robo_poet.registry.log.entry import Action, Conflict, Entry
from robo_poet.registry.names import model_names
from robo_poet.registry.reader import RegistryReader
from robo_poet.registry.state.state import fold
from robo_poet.registry.trust.trust import Trust
from robo_poet.registry.versions.version import MANIFEST_NAME, RESTORE, Version

FORM_1 = "log-of-form-1"


@dataclass(frozen=True)
class Saved:
    """What a backup has: models, versions with files, log entries, and the size of the archive in bytes."""

    models: int
    versions: int
    entries: int
    size: int


def backup(root: Path, archive: Path, secret: Secret, trust: Trust) -> Saved:
    """Write a new encrypted and signed archive of all models. Everything is verified while it is read.

    Raises:
        BadInput: there is no registry, the archive exists or cannot be written, or there is no signing key.
        Corrupt: the registry differs from what was registered and signed.
        Conflict: a version was purged meanwhile.
    """
    names = model_names(root)
    if not names:
        raise BadInput("there is no registry", where=str(root), remedy="give the folder of a registry with --registry")
    try:
        with _new_archive(archive) as file:
            with write_archive(file, secret, trust) as writer:
                counts = [_save(writer, RegistryReader(root, name, trust)) for name in names]
            size = file.tell()
    except OSError as error:
        where = str(error.filename or archive)
        raise BadInput(f"the backup cannot be written ({os.strerror(error.errno or 0).lower()})", where=where) from None
    return Saved(len(names), sum(versions for versions, _ in counts), sum(entries for _, entries in counts), size)


def _save(writer: ArchiveWriter, registry: RegistryReader) -> tuple[int, int]:
    """Add a model and return the number of its versions and of its log entries."""
    entries = registry.signed_log.read(again=True)
    if not entries:
        raise BadInput("the log has no entry", where=str(registry.folder), remedy="restore the log from a backup")
    kept = [registry.version(record.number) for record in fold(entries).records if not record.purged]
    saved: set[str] = set()
    for version in sorted(kept, key=lambda version: version.folder.name):
        try:
            _save_version(writer, registry, version, first=version.digest not in saved)
            saved.add(version.digest)
        except BadInput:
            if registry.version(version.number).purged:
                raise Conflict(f"version {version.name} was purged meanwhile", where=str(registry.folder), remedy="run again") from None
            raise
    _save_named(writer, registry, entries)
    for entry in entries:  # at last, as everywhere: the log never speaks of what is not there
        writer.add_bytes(f"{registry.model}/log/{entry.index:08d}.json", entry.to_bytes())
    return len(kept), len(entries)


def _save_version(writer: ArchiveWriter, registry: RegistryReader, version: Version, *, first: bool) -> None:
    """Add the files of a version, if it is the first with this folder: versions with the same content share one."""
    folder = f"{registry.model}/versions/{version.folder.name}"
    manifest = version.manifest()
    for name in sorted(manifest.files) if first else ():
        writer.add_file(f"{folder}/{name}", version.folder / name, manifest.files[name], RESTORE)
    if first:
        writer.add_file(f"{folder}/{MANIFEST_NAME}", version.folder / MANIFEST_NAME, version.digest, RESTORE)
    if version.attestations is not None:
        version.attestations.check(version.number, manifest.to_bytes(), version.attestation)


def _save_named(writer: ArchiveWriter, registry: RegistryReader, entries: list[Entry]) -> None:
    """Add the attestations and decisions that the log names, the snapshots of prompts, and the log before an adoption."""
    named: dict[str, Path] = {}
    for details in (entry.statement.details for entry in entries):
        adopted = details.get("attestations")
        digests = [details.get("attestation"), *(adopted.values() if isinstance(adopted, dict) else ())]
        named |= {f"attestations/{digest}.json": registry.folder for digest in digests if isinstance(digest, str) and digest}
    for statement in (entry.statement for entry in entries if entry.statement.action == Action.JUDGE_AGAIN):
        named[f"decisions/{statement.details['decision']}.json"] = registry.folder
    for name in sorted(named):
        path = registry.folder / name
        if path.is_file() or name.startswith("decisions/"):  # the attestation of a purged version may be gone
            writer.add_file(f"{registry.model}/{name}", path, path.stem, "restore this file from a backup")
    for path in sorted((registry.folder / PROMPTS).glob("*.json")):
        if names_a_snapshot(path.name):
            writer.add_file(f"{registry.model}/{PROMPTS}/{path.name}", path, path.stem, "restore this file from a backup, or remove it")
    for path in sorted((registry.folder / FORM_1).glob("*.json")):
        writer.add_bytes(f"{registry.model}/{FORM_1}/{path.name}", path.read_bytes())


@contextmanager
def _new_archive(path: Path) -> Iterator[BinaryIO]:
    """Yield a file without a name, which gets the name `path` at the end. After a kill or an exception there is no file.

    Raises:
        BadInput: the name exists.
        OSError: the file cannot be written.
    """
    exists = BadInput("the file exists", where=str(path), remedy="give another name; a backup is never overwritten")
    if path.exists() or path.is_symlink():
        raise exists
    folder = path.absolute().parent
    try:
        handle, hidden = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600), ""
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL):
            raise
        handle, hidden = tempfile.mkstemp(prefix=f".{path.name}.", dir=folder)  # a kill leaves this hidden file
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            _name(file.fileno(), hidden, path)
    except FileExistsError:
        raise exists from None
    finally:
        if hidden:
            Path(hidden).unlink(missing_ok=True)
    sync_folder(folder)


def _name(handle: int, hidden: str, path: Path) -> None:
    folder = os.open(path.absolute().parent, os.O_RDONLY | os.O_DIRECTORY)
    try:  # with a folder descriptor, Python calls linkat with AT_SYMLINK_FOLLOW, which names a file without a name
        os.link(hidden or f"/proc/self/fd/{handle}", path.name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)
