"""Opens files that other users can replace: only regular files, never through a link below a folder, never waiting for a writer.

A named pipe, a socket or a device would block its reader, or never end. A link can lead to a file that the sender cannot read himself.
The kind is checked on the opened file, so a file that is replaced between a listing and the opening is refused, too.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path, PurePosixPath

from robo_poet.errors import BadInput

KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a link",
}
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY  # O_NONBLOCK: a pipe without a writer opens immediately


def kind_of(mode: int) -> str:
    """Return the kind of a file in words, from its mode; empty for a regular file."""
    return "" if stat.S_ISREG(mode) else KINDS.get(stat.S_IFMT(mode), "a special file")


def open_regular(path: Path) -> BufferedReader:
    """Open a file that the user named. Links are followed, because the user chose the path.

    Raises:
        BadInput: it is not a regular file.
        OSError: it cannot be opened.
    """
    try:
        return _regular(os.open(path, _FLAGS), str(path))
    except OSError as error:
        raise _named(error, str(path)) from None


def open_below(folder: Path, name: str) -> BufferedReader:
    """Open the file `name`, a path relative to `folder`, without following a link below the folder.

    Raises:
        BadInput: it is not a regular file, or a part of its path is a link.
        OSError: it cannot be opened.
    """
    where = str(folder / name)
    *parents, last = PurePosixPath(name).parts
    with folder_below(folder, parents) as handle:
        try:
            return _regular(os.open(last, _FLAGS | os.O_NOFOLLOW, dir_fd=handle), where)
        except OSError as error:
            raise _named(error, where) from None


@contextmanager
def folder_below(folder: Path, parents: "list[str]") -> Iterator[int]:
    """Yield the descriptor of a folder below `folder`, opened part by part without following a link.

    Raises:
        BadInput: a part is a link or not a folder.
        OSError: a part cannot be opened.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for count, part in enumerate(parents, start=1):
            try:
                inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=handle)
            except OSError as error:
                raise _named(error, str(folder.joinpath(*parents[:count]))) from None
            os.close(handle)
            handle = inner
        yield handle
    finally:
        os.close(handle)


def read_limited(path: Path, limit: int) -> bytes:
    """Return the content of a small file that the user named, such as a profile.

    Raises:
        BadInput: it is not a regular file, or has more than `limit` bytes.
        OSError: it cannot be read.
    """
    with open_regular(path) as file:
        return _limited(file, limit, str(path))


def read_below(folder: Path, name: str, limit: int) -> bytes:
    """Return the content of a small file `name` below `folder`, without following a link.

    Raises:
        BadInput: see `open_below`; or it has more than `limit` bytes.
        OSError: it cannot be read.
    """
    with open_below(folder, name) as file:
        return _limited(file, limit, str(folder / name))


def _limited(file: BufferedReader, limit: int, where: str) -> bytes:
    data = file.read(limit + 1)
    if len(data) > limit:
        raise BadInput(f"the file is larger than {limit / 1e6:g} MB", where=where, remedy="give a smaller file")
    return data


def _regular(handle: int, where: str) -> BufferedReader:
    """Return the file of a descriptor. Close the descriptor if it is not a regular file."""
    if kind := kind_of(os.fstat(handle).st_mode):
        os.close(handle)
        raise BadInput(f"{kind}, not a file", where=where, remedy="give a regular file")
    return os.fdopen(handle, "rb")


def _named(error: OSError, where: str) -> Exception:
    """Return the error with the whole path. A link, or a socket, becomes a BadInput."""
    if error.errno in (errno.ELOOP, errno.ENOTDIR):  # ELOOP: the last part is a link; ENOTDIR: an inner part is a link or a file
        return BadInput("a link, or below one", where=where, remedy="copy the file into the folder: links below a corpus are not followed")
    if error.errno == errno.ENXIO:
        return BadInput("a socket or a device, not a file", where=where, remedy="give a regular file")
    return OSError(error.errno, error.strerror, where)
