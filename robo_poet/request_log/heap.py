"""Memory that nobody uses any more, given back to the machine."""

import ctypes
from collections.abc import Callable


def give_back() -> None:
    """Ask the C library for it, where it can: texts of every length come and go in two threads, and holes stay between them.

    Without it a process that reads readers' texts grows by a megabyte a minute.
    """
    if _trim is not None:
        _trim(0)


def _found() -> Callable[[int], int] | None:
    try:
        return ctypes.CDLL(None).malloc_trim  # glibc's; musl and macOS have none
    except (OSError, AttributeError, TypeError):
        return None


_trim = _found()
