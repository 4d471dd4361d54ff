"""Compressed files of a corpus: their names, and streams that read them with a limit on the size.

A small file can expand to any size. So the expanded bytes are counted while they are read, and nothing is unpacked to the disk.
"""

import bz2
import gzip
import io
import lzma
import os
import zlib
from pathlib import PurePosixPath

from robo_poet.errors import BadInput

COMPRESSED = (".gz", ".bz2", ".xz")  # one compressed file
ARCHIVE = ".zip"
EXPANSION, ALLOWED = 200, 100_000_000  # a file may expand to 200 times its size, or to 100 MB; text is compressed 3 to 50 times
_MAGIC = {".gz": b"\x1f\x8b", ".bz2": b"BZh", ".xz": b"\xfd7zXZ\0", ".zip": b"PK\3\4"}
_DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, MemoryError)  # MemoryError: an .xz may ask for any size of window


def plain_name(name: str) -> str:
    """Return the name of a file without the suffix of its compression: `a.txt` for `a.txt.gz`."""
    path = PurePosixPath(name)
    return name[: -len(path.suffix)] if path.suffix.lower() in COMPRESSED else name


def compression_of(name: str) -> str:
    """Return the suffix of a compressed file or archive in lower case, such as `.gz`; empty for other files."""
    suffix = PurePosixPath(name).suffix.lower()
    return suffix if suffix in (*COMPRESSED, ARCHIVE) else ""


def check_magic(head: bytes, where: str) -> None:
    """Check that a compressed file begins as its suffix says.

    Args:
        head: the first bytes of the file, at least six if it has so many.

    Raises:
        BadInput: it does not.
    """
    suffix = compression_of(where)
    empty_archive = suffix == ARCHIVE and head.startswith(b"PK\5\6")
    if not head.startswith(_MAGIC[suffix]) and not empty_archive:
        raise BadInput(f"not a {suffix} file", where=where, remedy="correct its name, or compress it again")


def compression_by_content(head: bytes) -> str:
    """Return the suffix that fits the first bytes of a file, such as `.gz`; empty if they are not of a known compression."""
    return next((suffix for suffix, magic in _MAGIC.items() if head.startswith(magic)), "")


def uncompressed(file: io.BufferedReader, where: str) -> io.BufferedReader:
    """Return a stream of the expanded bytes of a compressed file. Closing the stream closes `file`.

    Args:
        file: the opened file.
        where: its path. The suffix names the compression.

    Raises:
        BadInput: the file is of another kind. Reading raises it if the file is damaged, or expands to more than 200 times its size (and
            more than 100 MB).
    """
    size = os.fstat(file.fileno()).st_size
    try:
        check_magic(file.read(8), where)
    except BadInput:
        file.close()
        raise
    file.seek(0)
    suffix = compression_of(where)
    stream: io.BufferedIOBase
    if suffix == ".gz":
        stream = gzip.GzipFile(fileobj=file, mode="rb")
    elif suffix == ".bz2":
        stream = bz2.BZ2File(file)
    else:
        stream = lzma.LZMAFile(file)  # noqa: SIM115  LimitedStream closes it
    return io.BufferedReader(LimitedStream(stream, Allowance(size, where), where, file), 1 << 16)


class Allowance:
    """The number of bytes that a compressed file or archive may still expand to."""

    def __init__(self, size: int, where: str) -> None:
        self.where = where
        self.left = max(ALLOWED, EXPANSION * size)

    def take(self, count: int) -> None:
        """Count expanded bytes.

        Raises:
            BadInput: there are too many.
        """
        self.left -= count
        if self.left < 0:
            raise BadInput(
                f"expands to more than {ALLOWED / 1e6:g} MB and {EXPANSION} times its size",
                where=self.where,
                remedy="unpack it, and check what it contains",
            )


class LimitedStream(io.RawIOBase):
    """A stream of expanded bytes that counts them, and reports damage as one line."""

    def __init__(self, stream: io.BufferedIOBase, allowance: Allowance, where: str, file: io.BufferedReader | None = None) -> None:
        super().__init__()
        self._stream, self._allowance, self._where, self._file = stream, allowance, where, file

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]  # typeshed: Buffer is of Python 3.12
        """Read expanded bytes into `buffer`, and return their number; 0 at the end.

        Raises:
            BadInput: the file is damaged, or expands too far.
        """
        try:
            data = self._stream.read(len(buffer))
        except _DAMAGED:
            raise self._damaged() from None
        except OSError as error:
            if error.errno is None:  # bz2 reports damage so
                raise self._damaged() from None
            raise
        buffer[: len(data)] = data
        self._allowance.take(len(data))
        return len(data)

    def _damaged(self) -> BadInput:
        return BadInput("the compressed file is damaged or cut off", where=self._where, remedy="compress it again")

    def close(self) -> None:
        """Close the stream and the compressed file."""
        if not self.closed:
            self._stream.close()
            if self._file is not None:
                self._file.close()
        super().close()
