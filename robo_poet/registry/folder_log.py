"""A log store in a folder, one file per entry. `os.link` creates a name atomically and only once, without a lock."""

import errno
import os
import re
import tempfile
from pathlib import Path

from robo_poet.atomic import sync_folder
from robo_poet.errors import BadInput
from robo_poet.registry.durable import make_folder


def _unreadable(path: Path, error: OSError) -> BadInput:
    why = os.strerror(error.errno or 0).lower()
    return BadInput(f"the registry's log cannot be read ({why})", where=str(path), remedy="name a registry's folder, or make it readable")


class FolderLog:
    """A `LogStore` in a local folder, with files `00000001.json` and so on. Other files are ignored."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, index: int) -> Path:
        return self._folder / f"{index:08d}.json"

    def where(self, index: int) -> str:
        """Return the entry's path."""
        return str(self._path(index))

    def last(self) -> int:
        """Return the highest index, 0 if there is no entry or no folder.

        Raises:
            BadInput: the folder cannot be read.
        """
        try:
            names = [path.name for path in self._folder.iterdir()]
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise _unreadable(self._folder, error) from None
        indices = [int(name[:-5]) for name in names if re.fullmatch(r"\d{8,}\.json", name, re.ASCII)]
        return max(indices, default=0)

    def read(self, index: int) -> bytes | None:
        """Return the bytes of an entry, None if it does not exist.

        Raises:
            BadInput: the file cannot be read.
        """
        try:
            return self._path(index).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(self._path(index), error) from None

    def create(self, index: int, data: bytes) -> bool:
        """Create an entry; return False if it exists already.

        Raises:
            BadInput: the file system has no hard links.
        """
        make_folder(self._folder)
        handle, name = tempfile.mkstemp(prefix=".entry.", dir=self._folder)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o444)
            try:
                os.link(temporary, self._path(index))
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
                    raise
                where = str(self._folder)
                raise BadInput("this file system has no hard links", where=where, remedy="keep the registry on another one") from None
            sync_folder(self._folder)
            return True
        finally:
            temporary.unlink()
