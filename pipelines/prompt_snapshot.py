"""The snapshot of prompts that a run names (`validation.prompt_snapshot`), resolved when the run is submitted.

Its text is a parameter of the run, so it reaches any runner and any cluster, and its digest is a setting of the run, which the step checks.
"""

import os
import re
from pathlib import Path

from robo_poet.digest import digest_bytes
from robo_poet.errors import BadInput
from robo_poet.features.prompt_snapshot import LATEST, TAKE, PromptSnapshot, names_a_snapshot, parse_snapshot, snapshots_folder
from robo_poet.regular_file import open_regular

SETTING = "validation.prompt_snapshot"
LARGEST = 64 * 1024  # bytes; Kubernetes limits the arguments of a step. A snapshot of 400 prompts has 3 kB
_DIGITS = re.compile(r"[0-9a-f]{8,64}")


def resolve_snapshot(name: str, registry: Path, model: str) -> tuple[str, str]:
    """Return the text and the digest of a snapshot; both are empty for no name.

    Args:
        name: value of the setting: a file, the first 8 or more digits of a digest, or `latest`: the snapshot whose last day is the latest,
            and of several, the one with the most prompts.
        registry, model: whose folder has the snapshots that are not named by a path.

    Raises:
        BadInput: there is no such snapshot, or it cannot be used.
    """
    if not name:
        return "", ""
    if name == LATEST:
        snapshots = [_read(path, path.stem) for path in _stored(registry, model)]
        if not snapshots:
            raise _missing(f"the model {model} has no snapshot", str(snapshots_folder(registry, model)))
        text, digest, _ = max(snapshots, key=lambda one: (one[2].last_day, one[2].prompts.documents, one[1]))
        return text, digest
    if not names_a_file(name):
        paths = [path for path in _stored(registry, model) if path.name.startswith(name)]
        if len(paths) != 1:
            how_many = f"{len(paths)} snapshots of the model {model} have" if paths else f"no snapshot of the model {model} has"
            raise _missing(f"{how_many} a digest that begins with {name}", str(snapshots_folder(registry, model)))
        return _read(paths[0], paths[0].stem)[:2]
    return _read(Path(name), "")[:2]


def names_a_file(name: str) -> bool:
    """Return True if the value of the setting is a path, so that the folder of the model is not needed."""
    return bool(name) and name != LATEST and not _DIGITS.fullmatch(name)


def _stored(registry: Path, model: str) -> list[Path]:
    return sorted(path for path in snapshots_folder(registry, model).glob("*.json") if names_a_snapshot(path.name))


def _missing(what: str, where: str) -> BadInput:
    return BadInput(what, where=f"{SETTING}: {where}", remedy=f"take one: {TAKE}")


def _read(path: Path, digest: str) -> tuple[str, str, PromptSnapshot]:
    """Return text, digest and content of a snapshot. A file with the name of a digest must have this digest."""
    where = f"{SETTING}: {path}"
    try:
        with open_regular(path) as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise BadInput(os.strerror(error.errno or 0).lower(), where=where, remedy=f"take a snapshot: {TAKE}") from None
    if len(content) > LARGEST:
        raise BadInput(f"the snapshot of prompts has more than {LARGEST // 1024} kB", where=where, remedy="take another one")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput("not UTF-8 text", where=where, remedy=f"take a snapshot: {TAKE}") from None
    digest = digest or (path.stem if re.fullmatch("[0-9a-f]{64}", path.stem) else digest_bytes(content))
    return text, digest, parse_snapshot(text, digest, where)
