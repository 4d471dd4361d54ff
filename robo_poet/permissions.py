"""Permissions of files and folders: who else on this machine can read keys, or change what a program trusts.

Keys are refused at the start, because a key that others know or replace protects nothing. Registry and store give a warning.
"""

import os
import shlex
import stat
from collections.abc import Iterable
from pathlib import Path

from robo_poet.errors import BadInput

VARIABLE = "ROBO_POET_GROUP_ACCESS"
"""Environment variable. If it is 1, the group of a file may read and write it, and the owner may be another user.

This is for volumes that Kubernetes shares by group (`fsGroup`). Access of all other users is still refused.
"""

READ, WRITE = 0o044, 0o022
_GROUP = 0o070


def limit_umask() -> None:
    """Let no other user write the files that this process and its children create, even if the umask is 000.

    With `ROBO_POET_GROUP_ACCESS=1` the group may write them, if the umask allows it.
    """
    os.umask(os.umask(0o077) | (WRITE & ~_GROUP if _group_may() else WRITE))


def make_private_folder(path: Path) -> None:
    """Create `path` and its missing parents with mode 0700, whatever the umask is. An existing folder is not changed.

    Raises:
        OSError: the folder cannot be created.
    """
    if not path.is_dir():
        make_private_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def check_private(path: Path, what: str, *, then: str = "") -> None:
    """Check that only its owner can read or write a file with a secret.

    Args:
        what: the kind of the file, such as `key file`.
        then: what to do besides the change of permissions.

    Raises:
        BadInput: others can read or write it, another user owns it, or it cannot be examined. The remedy is a command.
    """
    _check(path, what, READ | WRITE, then)


def check_unchangeable(path: Path, what: str, *, then: str = "") -> None:
    """Check that only its owner can change a file or a folder that decides who gets access. Arguments and errors as in `check_private`."""
    _check(path, what, WRITE, then)


def warnings(paths: Iterable[tuple[str, Path]], *, private: bool = False) -> list[str]:
    """Return one line for each existing path that others can change, with the command that ends it.

    Args:
        paths: (kind such as `registry`, path).
        private: others should not read it either.
    """
    lines = []
    for what, path in paths:
        try:
            _check(path, what, READ | WRITE if private else WRITE, "")
        except BadInput as error:
            if path.exists():
                lines.append(str(error))
    return lines


def _check(path: Path, what: str, forbidden: int, then: str) -> None:
    try:
        status = path.stat()
    except OSError as error:
        raise BadInput(f"the {what} cannot be examined ({error.strerror})", where=str(path)) from None
    also = f", and {then}" if then else ""
    group = "" if _group_may() else f" (for a volume with fsGroup, set {VARIABLE}=1)"
    excess = status.st_mode & forbidden & (~_GROUP if _group_may() else 0o777)
    if excess:
        can = "write to" if excess & WRITE else "read"
        wanted = (0o700 if stat.S_ISDIR(status.st_mode) else 0o600) if forbidden & READ or then else stat.S_IMODE(status.st_mode) & ~WRITE
        remedy = f"run chmod {wanted:o} {shlex.quote(str(path))}{also}{'' if excess & ~_GROUP else group}"
        raise BadInput(f"other users can {can} the {what}", where=str(path), remedy=remedy)
    if status.st_uid not in (os.geteuid(), 0) and not _group_may():
        remedy = f"run chown {os.geteuid()} {shlex.quote(str(path))}{also}{group}"
        raise BadInput(f"the {what} belongs to another user (uid {status.st_uid})", where=str(path), remedy=remedy)


def _group_may() -> bool:
    return os.environ.get(VARIABLE) == "1"
