"""Addresses of folders in settings and options: a folder of this machine, or, for a registry, also `gs://bucket/prefix`.

Where only a folder works, an address with a scheme is refused: `gs://…` would create a folder called `gs:`.
"""

import re
from pathlib import Path

from robo_poet.errors import BadInput

Address = str | Path
"""Address of a registry: a folder, or `gs://bucket/prefix`."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?:/|\Z)")
_BUCKET = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](/.*)?", re.DOTALL)
_NOT_HERE = "an address with {scheme}:// is not supported here"
REMEDY = "give a folder of this machine"
REGISTRY_REMEDY = "give a folder of this machine, or gs://bucket/prefix"


def scheme_of(path: Address) -> str:
    """Return the scheme of an address such as `gs://bucket`, also after `Path` has removed a slash; empty for a path."""
    match = _SCHEME.match(str(Path(path)))
    return match[1] if match else ""


def is_bucket(address: Address) -> bool:
    """Return True for `gs://…`, also after `Path` has removed a slash."""
    return scheme_of(address) == "gs"


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


def registry_address(address: Address) -> str:
    """Return the address of a registry as a text: a path unchanged, a bucket as `gs://bucket/prefix` without a slash at the end.

    Raises:
        BadInput: it has another scheme, no valid name of a bucket, or a NUL.
    """
    text = str(address)
    if "\0" in text:
        raise BadInput("an address has no NUL", where=repr(text), remedy=REGISTRY_REMEDY)
    scheme = scheme_of(text)
    if not scheme:
        return text
    if isinstance(address, Path):
        text = text.replace(":/", "://", 1)
    if scheme != "gs":
        raise BadInput(_NOT_HERE.format(scheme=scheme), where=text, remedy=REGISTRY_REMEDY)
    if not _BUCKET.fullmatch(text):
        raise BadInput("the address has no valid name of a bucket", where=text, remedy="write gs://bucket/prefix")
    return text.rstrip("/")


def registry_setting(value: str) -> str:
    """Return the value of a setting that names a registry; a validator for pydantic.

    Raises:
        ValueError: see `registry_address`.
    """
    try:
        return registry_address(value)
    except BadInput as error:
        raise ValueError(f"{error.what}; {error.remedy}") from None


def absolute_address(address: Address) -> str:
    """Return the address of a registry for a process with another working folder."""
    text = registry_address(address)
    return text if is_bucket(text) else str(Path(text).resolve())
