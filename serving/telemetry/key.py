"""The secret key for pseudonyms and text digests: a file that is created on first use and that only its owner can read."""

import os
import secrets
import tempfile
from pathlib import Path

from robo_poet.errors import BadInput

BYTES = 32


def read_or_make_key(path: Path) -> bytes:
    """Return the key in `path`, 32 bytes, and create it if it is missing.

    Replicas that share the folder get the same key, even if they start at the same time. After the file is deleted, earlier
    pseudonyms and digests cannot be linked to users or texts any more.

    Raises:
        BadInput: the file cannot be read or created, other users may read it, or it does not contain a key.
    """
    try:
        if not path.exists():
            _make(path)
        mode, key = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise BadInput(f"the key cannot be read or made: {error.strerror}", where=str(path), remedy="mend the folder's rights") from None
    if mode & 0o077:
        raise BadInput("others may read the key", where=str(path), remedy="chmod 600, and think of the key as known to them")
    if len(key) != BYTES:
        raise BadInput(
            f"{len(key)} bytes are no key of {BYTES}", where=str(path), remedy="restore it from a backup, or delete it for a new one"
        )
    return key


def _make(path: Path) -> None:
    """Write a temporary file and hard-link it to `path`, so that a key is never read half-written and the first of two processes wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        Path(temporary).unlink(missing_ok=True)
