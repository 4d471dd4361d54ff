"""The manifest of a version: what is in it, how good it is, where it comes from, and what the gates said (REG-1, PIPE-5).

There is no time and no number in it: the same content has the same manifest, and so is the same version however often it is registered.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from robo_poet.digest import digest_bytes, digest_file
from robo_poet.errors import BadInput
from robo_poet.registry.entry import canonical

NAME = "manifest.json"  # its file, at the top of the version's folder


@dataclass(frozen=True)
class Manifest:
    """What a version consists of.

    Args:
        files: relative POSIX path → SHA-256 of every file, the manifest's own aside.
        metrics: those of the evaluation; None where one was not a finite number.
        lineage: digests, seed, code and settings that it was made from (JSON).
        decision: the gates' verdicts (JSON).
    """

    files: Mapping[str, str]
    metrics: Mapping[str, float | None]
    lineage: Mapping[str, Any]
    decision: Mapping[str, Any]

    def to_bytes(self) -> bytes:
        """The manifest as it is stored."""
        return canonical(asdict(self))

    @property
    def digest(self) -> str:
        """SHA-256 of the stored manifest: the identity of the version."""
        return digest_bytes(self.to_bytes())

    @classmethod
    def from_bytes(cls, data: bytes) -> "Manifest":
        """Read a manifest whose digest was checked."""
        return cls(**json.loads(data))


def finite(metrics: Mapping[str, float | None]) -> dict[str, float | None]:
    """The metrics with None for what is no finite number; the evaluation among the files keeps what was measured."""
    return {name: value if isinstance(value, int | float) and math.isfinite(value) else None for name, value in metrics.items()}


def sources(files: Mapping[str, Path]) -> dict[str, Path]:
    """Every file to be stored: its relative POSIX path in the version → where it is now. Folders are walked, links are followed.

    Args:
        files: name in the version → a file or a folder.

    Raises:
        BadInput: a path does not exist, or there is no file at all.
        ValueError: a name that is no plain file name, or is the manifest's.
    """
    found: dict[str, Path] = {}
    for name, path in files.items():
        if not name or name.startswith(".") or "/" in name or name == NAME:
            raise ValueError(f"{name!r} cannot be the name of an artifact in a version")
        if path.is_dir():
            found.update({f"{name}/{p.relative_to(path).as_posix()}": p for p in path.rglob("*") if p.is_file()})
        elif path.exists():
            found[name] = path
        else:
            raise BadInput("no such file or folder", where=str(path))
    if not found:
        raise BadInput("a version without any file", where=", ".join(map(str, files.values())) or "register")
    return found


def digests(found: Mapping[str, Path]) -> dict[str, str]:
    """SHA-256 of each file of `found`."""
    return {name: digest_file(path) for name, path in found.items()}
