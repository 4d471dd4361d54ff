"""The manifest of a version: its files, metrics, lineage and the decision of the gates (REG-1, PIPE-5).

It contains no time and no number. So the same content always has the same manifest, and registering it again gives the same version.
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

NAME = "manifest.json"  # file name, at the top of the version's folder


@dataclass(frozen=True)
class Manifest:
    """The content of a version.

    Args:
        files: relative POSIX path → SHA-256 of every file except the manifest.
        metrics: metrics of the evaluation; None if one was not finite.
        lineage: digests, seed, code and settings of the training run (JSON).
        decision: the verdicts of the gates (JSON).
    """

    files: Mapping[str, str]
    metrics: Mapping[str, float | None]
    lineage: Mapping[str, Any]
    decision: Mapping[str, Any]

    def to_bytes(self) -> bytes:
        """Return the bytes of the manifest as stored."""
        return canonical(asdict(self))

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the stored manifest, which identifies the version."""
        return digest_bytes(self.to_bytes())

    @classmethod
    def from_bytes(cls, data: bytes) -> "Manifest":
        """Parse a manifest. The caller has checked its digest."""
        return cls(**json.loads(data))


def finite(metrics: Mapping[str, float | None]) -> dict[str, float | None]:
    """Replace metrics that are not finite by None. The evaluation's own files keep the measured values."""
    return {name: value if isinstance(value, int | float) and math.isfinite(value) else None for name, value in metrics.items()}


def sources(files: Mapping[str, Path]) -> dict[str, Path]:
    """List every file to store: its relative POSIX path in the version → its current path. Folders are walked; links are followed.

    Args:
        files: name in the version → a file or a folder.

    Raises:
        BadInput: a path does not exist, or there is no file.
        ValueError: a name is not a plain file name, or is the manifest's.
    """
    paths: dict[str, Path] = {}
    for name, path in files.items():
        if not name or name.startswith(".") or "/" in name or name == NAME:
            raise ValueError(f"{name!r} cannot be the name of an artifact in a version")
        if path.is_dir():
            paths.update({f"{name}/{p.relative_to(path).as_posix()}": p for p in path.rglob("*") if p.is_file()})
        elif path.exists():
            paths[name] = path
        else:
            raise BadInput("no such file or folder", where=str(path))
    if not paths:
        raise BadInput("a version without any file", where=", ".join(map(str, files.values())) or "register")
    return paths


def digests(paths: Mapping[str, Path]) -> dict[str, str]:
    """Return the SHA-256 of each file."""
    return {name: digest_file(path) for name, path in paths.items()}
