"""The secret key of pseudonyms and of text digests: a file, made on first use, readable by its owner alone."""

import os
import secrets
import tempfile
from pathlib import Path

from robo_poet.errors import BadInput

BYTES = 32


def read_or_make_key(path: Path) -> bytes:
    """The key in `path`, 32 bytes. Replicas that share a folder agree on one, however close together they start.

    Who deletes the file makes all pseudonyms and digests so far unlinkable, by us too.

    Raises:
        BadInput: the file cannot be read or made, others may read it, or it holds no key.
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
    """Written beside and linked, so that nobody ever reads half a key and the first of two makers wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(beside, path)
    except FileExistsError:
        pass
    finally:
        Path(beside).unlink(missing_ok=True)
