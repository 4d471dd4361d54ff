"""Refuses addresses of buckets where only a folder of this machine is supported: `gs://…` would create a folder called `gs:`."""

import re
from pathlib import Path

from robo_poet.errors import BadInput

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?:/|\Z)")
_NOT_HERE = "an address with {scheme}:// is not supported here"
REMEDY = "give a folder of this machine"


def scheme_of(path: Path | str) -> str:
    """Return the scheme of an address such as `gs://bucket`, also after `Path` has removed a slash; empty for a path."""
    match = _SCHEME.match(str(Path(path)))
    return match[1] if match else ""


def local_setting(value: str) -> str:
    """Return the value of a setting that names a folder; a validator for pydantic.

    Raises:
        ValueError: it has a scheme.
    """
    if scheme := scheme_of(value):
        raise ValueError(f"{_NOT_HERE.format(scheme=scheme)}; {REMEDY}")
    return value


def local_path(path: Path | None) -> Path | None:
    """Return the path of a command line option; a callback for typer.

    Raises:
        BadInput: it has a scheme, or a NUL.
    """
    if path is not None and "\0" in str(path):
        raise BadInput("a path has no NUL", where=repr(str(path)), remedy=REMEDY)
    if path is not None and (scheme := scheme_of(path)):
        raise BadInput(_NOT_HERE.format(scheme=scheme), where=str(path).replace(":/", "://", 1), remedy=REMEDY)
    return path
