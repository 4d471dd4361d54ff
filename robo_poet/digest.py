"""SHA-256 digests of bytes, files and folders. They cover contents and names inside a folder, not the name of the path itself."""

import hashlib
import json
from pathlib import Path
from typing import Any

CHUNK = 1 << 20


def digest_bytes(data: bytes) -> str:
    """Return the SHA-256 of `data` as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def digest_json(value: Any) -> str:
    """Return the digest of a JSON value, independent of the order of its keys."""
    return digest_bytes(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())


def digest_file(path: Path) -> str:
    """Return the digest of a file's bytes, read in chunks of 1 MiB."""
    state = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            state.update(chunk)
    return state.hexdigest()


def digest_path(path: Path) -> str:
    """Return the digest of a file, or of a folder: the digest of its sorted (relative name, file digest) pairs.

    Raises:
        FileNotFoundError: there is nothing at `path`.
    """
    if not path.is_dir():
        return digest_file(path)
    files = sorted(p for p in path.rglob("*") if p.is_file())
    return digest_json([[p.relative_to(path).as_posix(), digest_file(p)] for p in files])
