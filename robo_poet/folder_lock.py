"""A lock on the folder of a program: a second one in the same folder changes nothing there."""

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from robo_poet.errors import BadInput
from robo_poet.permissions import make_private_folder

LOCK_FILE = "serve.lock"


class FolderLock:
    """A held lock."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.describe("")

    def describe(self, address: str) -> None:
        """Write the process ID and the address of this server to the lock file, for the message of a second server."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"process {os.getpid()}{f' at {address}' if address else ''}\n".encode(), 0)


@contextlib.contextmanager
def locked_folder(folder: Path, remedy: str, *, name: str = LOCK_FILE, program: str = "server") -> Iterator[FolderLock]:
    """Create the folder if it is missing (mode 0700), and hold its lock until the block ends.

    The kernel releases the lock when this process ends, also after SIGKILL. So the lock file may stay and blocks nobody. Child processes do
    not inherit the lock.

    Args:
        remedy: what the user can do if another program holds the lock.
        name: name of the lock file.
        program: the kind of the program that takes this lock, for the message.

    Raises:
        BadInput: another program holds the lock, or the folder cannot be used.
    """
    path = folder / name
    try:
        make_private_folder(folder)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "not a file")
    except OSError as error:
        raise BadInput(f"the folder cannot be used ({os.strerror(error.errno or 0).lower()})", where=str(folder), remedy=remedy) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip()
            raise BadInput(
                f"another {program} uses this folder ({holder or 'its process is unknown'})", where=str(folder), remedy=remedy
            ) from None
        except OSError as error:  # a file system without locks
            reason = os.strerror(error.errno or 0).lower()
            raise BadInput(f"the folder cannot be locked ({reason})", where=str(folder), remedy="take a folder on a local disk") from None
        yield FolderLock(descriptor)
    finally:
        os.close(descriptor)
