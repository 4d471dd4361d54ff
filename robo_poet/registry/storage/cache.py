"""The folder of the cache: what this user has read of registries in buckets. It can be removed at any time.

`ROBO_POET_CACHE` names another folder than `~/.cache/robo-poet`. If it cannot be written, such as in a pod with a read-only root, this
process uses a temporary folder, which is removed at its end.
"""

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from robo_poet.permissions import check_unchangeable, make_private_folder

VARIABLE = "ROBO_POET_CACHE"


def cache_folder() -> Path:
    """Return the folder, private to this user.

    Raises:
        BadInput: other users can write to it. They could replace a file between its verification and its use.
    """
    try:
        named = os.environ.get(VARIABLE) or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "robo-poet"
        folder = Path(named).absolute()
        make_private_folder(folder)
    except (OSError, RuntimeError):  # RuntimeError: the user has no home folder
        return _temporary()
    if not os.access(folder, os.W_OK | os.X_OK):
        return _temporary()
    check_unchangeable(folder, "cache of registries")
    return folder


@cache
def _temporary() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="robo-poet-cache-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
