"""The append-only hash chain of the registry (contract 8), on any store with an atomic create-once operation.

Each entry holds the SHA-256 of the one before. So an edit, a reordering or a gap is detected. The chain does not detect the loss of its
newest entries; compare it with a backup or a mirror for that.
"""

from typing import Protocol

from robo_poet.digest import digest_bytes
from robo_poet.registry.entry import GENESIS, Entry, Statement
from robo_poet.registry.errors import Corrupt, Lost


class LogStore(Protocol):
    """A store of log entries: a folder here; a bucket with `if_generation_match=0` is possible."""

    def last(self) -> int:
        """Return the highest index, 0 if there is no entry."""

    def read(self, index: int) -> bytes | None:
        """Return the bytes of an entry, None if it does not exist."""

    def create(self, index: int, data: bytes) -> bool:
        """Create an entry atomically and durably; return False if it exists. Of concurrent calls, exactly one returns True."""

    def where(self, index: int) -> str:
        """Return the address of the entry, for messages."""


class Log:
    """The hash chain of entries in a store."""

    def __init__(self, store: LogStore) -> None:
        self._store = store

    def read(self) -> list[Entry]:
        """Return all entries, oldest first, each checked against the one before.

        Raises:
            Corrupt: names the first entry that is missing, changed or out of place.
        """
        entries: list[Entry] = []
        previous = GENESIS
        # Read every index up to the highest: a listing taken during other appends may miss a name in the middle.
        for index in range(1, self._store.last() + 1):
            where = self._store.where(index)
            data = self._store.read(index)
            if data is None:
                raise Corrupt("the log entry is missing, but later ones exist", where=where, remedy="restore this file from a backup")
            entry = Entry.from_bytes(data, where)
            if (entry.index, entry.previous) != (index, previous):
                raise Corrupt("the log entry does not follow from the one before it", where=where, remedy="restore the log from a backup")
            entries.append(entry)
            previous = digest_bytes(data)
        return entries

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
        data = entry.to_bytes()
        # A store may retry after a lost response and then find the entry it has just created: the nonce identifies it.
        if not self._store.create(expected_index, data) and self._store.read(expected_index) != data:
            raise Lost(f"log entry {expected_index} is another's")
        return entry
