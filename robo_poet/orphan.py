"""Child processes that end with their parent, even if the parent is killed."""

import ctypes
import os
import signal
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
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
