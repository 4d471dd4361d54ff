"""The append-only hash chain of the registry (contract 8), and its store in a folder.

Each entry holds the SHA-256 of the entry before it. So an edit, a reordering or a gap is detected. The chain detects neither a forgery of
all later entries nor the loss of the newest ones; the signatures and the remembered heads do (`robo_poet.registry.trust`).

Any store with an atomic create-once operation can hold the chain. In a folder, `os.link` creates a name atomically and only once, without
a lock.
"""

import errno
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from robo_poet.atomic import create_once, make_folder
from robo_poet.digest import digest_bytes
from robo_poet.errors import BadInput
from robo_poet.registry.log.entry import GENESIS, Corrupt, Entry, Lost, Statement

NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV, errno.EMLINK)


class LogStore(Protocol):
    """The interface of a store of log entries: a `FolderLog`, or a `BucketLog` of `robo_poet.registry.storage`."""

    def last(self) -> int:
        """Return the highest index, 0 if there is no entry."""

    def read(self, index: int) -> bytes | None:
        """Return the bytes of an entry, None if it does not exist."""

    def create(self, index: int, data: bytes) -> bool:
        """Create an entry atomically and durably; return False if it exists. Of concurrent calls, exactly one returns True."""

    def where(self, index: int) -> str:
        """Return the address of the entry, for messages."""

    def forget(self) -> None:
        """Forget what is cached, so that all entries are read from the store again."""


class Log:
    """The hash chain of entries in a store.

    Args:
        sign: returns the signatures of a new entry; None to append it without a signature.
    """

    def __init__(self, store: LogStore, sign: Callable[[Entry], tuple[dict[str, str], ...]] | None = None) -> None:
        self._store, self._sign = store, sign
        self._known: list[Entry] = []
        self._newest = b""  # the bytes of the last of them

    def read(self, *, again: bool = False) -> list[Entry]:
        """Return all entries, oldest first, each checked against the one before.

        Entries that this object has read before are not read again, if the newest of them is still the same. It contains the hash of all
        entries before it, so a later change of an older entry has no effect on this reader.

        Args:
            again: read all entries again.

        Raises:
            Corrupt: names the first entry that is missing, changed or out of place.
        """
        if again:
            self._store.forget()
        last = self._store.last()
        known = [] if again else self._known
        if known and (last < len(known) or self._store.read(len(known)) != self._newest):
            known = []
        entries, newest = list(known), self._newest if known else b""
        previous = digest_bytes(newest) if known else GENESIS
        # Read every index up to the highest: a listing taken during other appends may miss a name in the middle.
        for index in range(len(known) + 1, last + 1):
            where = self._store.where(index)
            data = self._store.read(index)
            if data is None:
                raise Corrupt("the log entry is missing, but later ones exist", where=where, remedy="restore this file from a backup")
            entry = Entry.from_bytes(data, where)
            if (entry.index, entry.previous) != (index, previous):
                raise Corrupt(
                    "the log entry does not match the hash of the entry before it", where=where, remedy="restore the log from a backup"
                )
            entries.append(entry)
            previous, newest = digest_bytes(data), data
        self._known, self._newest = entries, newest
        return list(entries)

    def where(self, index: int) -> str:
        """Return the address of an entry, for messages."""
        return self._store.where(index)

    def append(self, statement: Statement, expected_index: int) -> Entry:
        """Append `statement` as entry `expected_index`, directly after the entries it is based on.

        Raises:
            Lost: another writer's entry has that index.
            ValueError: the entry before it does not exist.
        """
        before = self._store.read(expected_index - 1) if expected_index > 1 else None
        if before is None and expected_index != 1:
            raise ValueError(f"no log entry {expected_index - 1} to append to")
        entry = Entry(expected_index, GENESIS if before is None else digest_bytes(before), statement)
        if self._sign is not None:
            entry = replace(entry, signatures=self._sign(entry))
        data = entry.to_bytes()
        # A store may retry after a lost response and then find the entry it has just created: the nonce identifies it.
        if not self._store.create(expected_index, data) and self._store.read(expected_index) != data:
            raise Lost(f"another writer created log entry {expected_index}")
        return entry


class FolderLog:
    """A `LogStore` in a local folder, with files `00000001.json` and so on. Other files are ignored.

    Args:
        owner: what the log belongs to, for messages.
    """

    def __init__(self, folder: Path, owner: str = "registry") -> None:
        self._folder, self._owner = folder, owner

    def _unreadable(self, path: Path, error: OSError) -> BadInput:
        why = os.strerror(error.errno or 0).lower()
        remedy = f"give the folder of a {self._owner}, or change its permissions"
        return BadInput(f"the log of the {self._owner} cannot be read ({why})", where=str(path), remedy=remedy)

    def _path(self, index: int) -> Path:
        return self._folder / f"{index:08d}.json"

    def where(self, index: int) -> str:
        """Return the entry's path."""
        return str(self._path(index))

    def forget(self) -> None:
        """Do nothing: nothing is cached."""

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
            raise self._unreadable(self._folder, error) from None
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
            raise self._unreadable(self._path(index), error) from None

    def create(self, index: int, data: bytes) -> bool:
        """Create an entry; return False if it exists already.

        Raises:
            BadInput: the file system has no hard links.
        """
        make_folder(self._folder)
        try:
            return create_once(self._path(index), data, mode=0o444)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            where, remedy = str(self._folder), f"move the {self._owner} to one that does"
            raise BadInput("the file system does not support hard links", where=where, remedy=remedy) from None
