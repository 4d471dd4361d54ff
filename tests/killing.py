"""A process that is killed at a moment that nobody chose."""

import os
import signal
import time
import traceback
from collections.abc import Callable


def killed_after(seconds: float, act: Callable[[], object]) -> bool:
    """Do `act` in a forked child and kill it after so many seconds. Return True if the kill came before the end of `act`.

    The child has everything imported, so that the kill meets the work and not the start of Python.

    Raises:
        AssertionError: `act` raised an error; the child prints it.
    """
    child = os.fork()
    if child == 0:
        try:
            act()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)  # a child that has ended is not reaped yet, so its number is still its own
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0
    return False
