"""A process that does not outlive the one that started it, however that one ends."""

import ctypes
import os
import signal
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None, use_errno=True).prctl


def dies_with_parent(sent: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`: the kernel sends this signal when the thread that starts the process ends, on SIGKILL too.

    Its own children are sent nothing.
    """
    parent = os.getpid()

    def before_exec() -> None:
        _prctl(_PR_SET_PDEATHSIG, sent, 0, 0, 0)
        if os.getppid() != parent:  # it ended in between
            os._exit(1)

    return before_exec
