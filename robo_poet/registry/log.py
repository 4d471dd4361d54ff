"""The append-only chain that is the registry (contract 8), on any store that can create a thing exactly once.

Each entry names the SHA-256 of the one before, so that history cannot be edited, reordered or thinned out unseen. What a chain alone
cannot show is the loss of its newest entries: that takes a backup or a mirror to compare with.
"""

from typing import Protocol

from robo_poet.digest import digest_bytes
from robo_poet.registry.entry import GENESIS, Entry, Statement
from robo_poet.registry.errors import Corrupt, Lost


class LogStore(Protocol):
    """Where entries are kept: a folder here, a bucket with `if_generation_match=0` as well."""

    def last(self) -> int:
        """The highest index that exists, 0 if none."""

    def read(self, index: int) -> bytes | None:
        """An entry's bytes, None if it does not exist."""

    def create(self, index: int, data: bytes) -> bool:
        """Create an entry whole and durably; False if it exists already. Of several at once, exactly one gets True."""

    def where(self, index: int) -> str:
        """The entry's address, for messages."""


class Log:
    """The chain of entries in a store."""

    def __init__(self, store: LogStore) -> None:
        self._store = store

    def read(self) -> list[Entry]:
        """All entries, oldest first, each checked against the one before.

        Raises:
            Corrupt: names the first entry that is missing, changed or out of place.
        """
        entries: list[Entry] = []
        previous = GENESIS
        # The highest index first, then everything up to it: a listing taken while others append may miss a name in the middle.
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
        """Append `statement` as entry `expected_index`, that is right after the entries that led to it.

        Raises:
            Lost: another writer's entry has that index.
            ValueError: there is no entry before it: nothing can have led to it.
        """
        before = self._store.read(expected_index - 1) if expected_index > 1 else None
        if before is None and expected_index != 1:
            raise ValueError(f"no log entry {expected_index - 1} to append to")
        entry = Entry(expected_index, GENESIS if before is None else digest_bytes(before), statement)
        data = entry.to_bytes()
        # A store may retry by itself after a lost answer, and then finds its own entry in the way: the nonce makes it recognisable.
        if not self._store.create(expected_index, data) and self._store.read(expected_index) != data:
            raise Lost(f"log entry {expected_index} is another's")
        return entry
