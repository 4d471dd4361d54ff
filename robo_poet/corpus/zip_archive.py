"""Texts in a .zip archive. Members are read as streams; nothing is unpacked to the disk, so their names cannot lead out of a folder."""

import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from robo_poet.corpus.compression import Allowance, LimitedStream, check_magic
from robo_poet.display import quotable_name
from robo_poet.errors import BadInput
from robo_poet.regular_file import kind_of, open_regular

LARGEST_DIRECTORY = 16_000_000  # bytes of the list of members, which is in memory: about 200,000 members
_END, _END_64 = b"PK\5\6", b"PK\6\7"  # signatures of the end record and of the locator of ZIP64
_LONGEST_END = 22 + 65_535  # bytes of the end record with its comment
_DAMAGED = (
    zipfile.BadZipFile,
    NotImplementedError,
    ValueError,
    LookupError,
    EOFError,
    zlib.error,
    OSError,
)  # OSError: a position before the file


class ZipArchive:
    """An archive of texts. In one reading, all members together may expand to 200 times its size, or to 100 MB."""

    def __init__(self, path: Path) -> None:
        """Read the list of the members.

        Raises:
            BadInput: it is not a .zip file, is damaged, has too many members, or a member's name is absolute or not unique.
            OSError: it cannot be read.
        """
        self.path = path
        self._zip: zipfile.ZipFile | None = None
        with self.reading() as opened:
            self._members = [info for info in opened.infolist() if not info.is_dir()]
        names = [info.filename for info in self._members]
        if len(set(names)) < len(names):
            raise BadInput("two members have the same name", where=str(path), remedy="make the archive again")
        for name in names:
            if name.startswith("/") or ".." in PurePosixPath(name).parts:
                where = f"{path}: {quotable_name(name, 'a member with a long name')}"
                raise BadInput("the name points outside the archive", where=where, remedy="make the archive again with relative names")

    @contextmanager
    def reading(self) -> Iterator[zipfile.ZipFile]:
        """Open the archive for one reading: count the expanded bytes from 0, and close it at the end.

        Raises:
            BadInput: it is not a .zip file, is damaged or has too many members.
            OSError: it cannot be read.
        """
        with open_regular(self.path) as file:
            size = os.fstat(file.fileno()).st_size
            check_magic(file.read(8), str(self.path))
            try:
                _check_directory(file, size, str(self.path))
                opened = zipfile.ZipFile(file)
            except _DAMAGED:
                raise self._damaged() from None
            with opened:
                self._zip, self._allowance = opened, Allowance(size, str(self.path))
                yield opened
            self._zip = None

    def listing(self) -> tuple[list[str], list[tuple[str, str]]]:
        """Return the names of the regular files, and name and kind of what is skipped, such as links."""
        files, skipped = [], []
        for info in self._members:
            kind = kind_of(info.external_attr >> 16) if stat.S_IFMT(info.external_attr >> 16) else ""
            if kind:
                skipped.append((info.filename, kind))
            else:
                files.append(info.filename)
        return files, skipped

    def open(self, name: str) -> io.BufferedReader:
        """Open a member, during a reading.

        Raises:
            BadInput: the member is gone; is encrypted, or damaged, or compressed by an unknown method; reading raises it, too.
        """
        where = f"{self.path}/{name}"
        assert self._zip is not None, "a member is opened during a reading"
        try:
            info = self._zip.getinfo(name)
            if info.flag_bits & 1:
                raise BadInput("the member is encrypted", where=where, remedy="unpack the archive, and give the folder")
            stream = self._zip.open(info)
        except _DAMAGED:
            raise self._damaged() from None
        return io.BufferedReader(_Member(stream, self._allowance, where), 1 << 16)  # type: ignore[arg-type]

    def _damaged(self) -> BadInput:
        return BadInput("the archive is damaged, or of an unsupported kind", where=str(self.path), remedy="unpack it, and give the folder")


class _Member(LimitedStream):
    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        try:
            return super().readinto(buffer)
        except _DAMAGED:
            raise self._damaged() from None


def _check_directory(file: io.BufferedReader, size: int, where: str) -> None:
    """Check the size of the list of members before `zipfile` loads it into memory."""
    file.seek(max(0, size - _LONGEST_END - 20))
    tail = file.read()
    file.seek(0)
    end = tail.rfind(_END)
    if end < 0 or len(tail) < end + 22:
        raise zipfile.BadZipFile
    directory = int.from_bytes(tail[end + 12 : end + 16], "little")
    if tail[max(0, end - 20) : end].startswith(_END_64) or directory > LARGEST_DIRECTORY:
        raise BadInput("the archive has too many members, or is larger than 4 GB", where=where, remedy="unpack it, and give the folder")
