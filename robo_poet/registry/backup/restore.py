"""Restores a registry folder from a backup (REG-4).

Everything happens in a hidden folder beside the target, which gets its name when all files, signatures and digests have been checked.
"""

import errno
import glob
import os
import shutil
import tempfile
from copy import copy
from dataclasses import dataclass
from pathlib import Path

from robo_poet.atomic import remove_leftovers, sync_folder, sync_tree
from robo_poet.errors import BadInput
from robo_poet.registry.backup.archive import Footer, extract_archive
from robo_poet.registry.backup.secret import Secret
from robo_poet.registry.log.entry import Conflict
from robo_poet.registry.reader import RegistryReader
from robo_poet.registry.trust.heads import Heads
from robo_poet.registry.trust.trust import Trust


@dataclass(frozen=True)
class Restored:
    """What was restored.

    Args:
        entries: model → number of log entries.
        versions: number of versions with files.
        older: models of whose log you have read more entries at this address: name → number of these entries.
        footer: when the backup was made, and by which key.
    """

    entries: dict[str, int]
    versions: int
    older: dict[str, int]
    footer: Footer


def restore(archive: Path, root: Path, secret: Secret, trust: Trust) -> Restored:
    """Restore all models of a backup to a new or empty folder, byte for byte.

    Raises:
        BadInput: the folder is not empty or cannot be written, or the archive cannot be opened (see `extract_archive`).
        Corrupt: the files do not match what was registered and signed.
        Conflict: somebody else wrote to the folder meanwhile.
    """
    root = root.absolute()
    not_empty = BadInput("the folder is not empty", where=str(root), remedy="restore to a new folder with --registry")
    try:
        if root.is_symlink() or (root.exists() and (not root.is_dir() or any(root.iterdir()))):
            raise not_empty
        with archive.open("rb") as source:
            root.parent.mkdir(parents=True, exist_ok=True)
            prefix = f".{root.name}.restore-"
            remove_leftovers(root.parent, f"{glob.escape(prefix)}*")
            staging = Path(tempfile.mkdtemp(prefix=prefix, dir=root.parent))
            try:
                footer = extract_archive(source, secret, trust, staging, str(archive))
                restored = _verify(staging, root, trust, footer)
                sync_tree(staging)
                staging.chmod(0o755)
                staging.rename(root)  # replaces an empty folder, and no other
            finally:
                shutil.rmtree(staging, ignore_errors=True)
        sync_folder(root.parent)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise Conflict("another program wrote to the folder meanwhile", where=str(root), remedy="choose another folder") from None
        what = f"the backup cannot be restored ({os.strerror(error.errno or 0).lower()})"
        raise BadInput(what, where=error.filename or str(root)) from None
    return restored


def _verify(staging: Path, root: Path, trust: Trust, footer: Footer) -> Restored:
    """Check the restored models, without remembering their logs at the hidden address."""
    entries, versions, older = {}, 0, {}
    with tempfile.TemporaryDirectory(prefix="robo-poet-heads-") as scratch:
        forgetful = copy(trust)
        forgetful.heads = Heads(Path(scratch))
        for folder in sorted(staging.iterdir()):
            registry = RegistryReader(staging, folder.name, forgetful)
            versions += len(registry.verify())
            entries[folder.name] = len(registry.log())
            head = trust.heads.read(str(root.resolve() / folder.name))
            if head and head.index > entries[folder.name]:
                older[folder.name] = head.index
    return Restored(entries, versions, older, footer)
