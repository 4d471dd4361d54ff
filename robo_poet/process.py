"""The operating system's process: its user, the standard error of native code, and child processes that end with their parent."""

import ctypes
import getpass
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def user_name() -> str:
    """Return the user's name, or `uid <number>` if the user has no name, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Discard what native code writes to standard error. Exceptions are not affected.

    TensorFlow 2.21 prints four lines before it reads any log level, so no environment variable can suppress them.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)


_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_prctl = ctypes.CDLL(None, use_errno=True).prctl


def dies_with_parent(sent: signal.Signals) -> Callable[[], None]:
    """Return a `preexec_fn`. The kernel sends the signal when the thread that starts the process ends, also after SIGKILL.

    Processes that the child starts do not receive it.
    """
    parent = os.getpid()

    def before_exec() -> None:
        _prctl(_PR_SET_PDEATHSIG, sent, 0, 0, 0)
        if os.getppid() != parent:  # the parent ended before prctl took effect
            os._exit(1)

    return before_exec


def adopt_orphans(adopt: bool = True) -> None:
    """Become the parent of each descendant whose own parent ends, until a call with False. Otherwise process 1 becomes its parent.

    The caller must wait for the adopted children: until then, an ended one stays in /proc.
    """
    _prctl(_PR_SET_CHILD_SUBREAPER, int(adopt), 0, 0, 0)


def children() -> list[int]:
    """Return the ids of this process's children, of all its threads."""
    tasks = Path("/proc/self/task")
    return [int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()]
