"""The keys as a running gateway knows them: read again when the folder changed, kept for a while when it cannot be read."""

import time
from collections.abc import Callable, Mapping

from robo_poet.errors import BadInput
from serving.access.key import Key
from serving.access.key_store import KeyStore
from serving.access.unchecked import unchecked


class KeyRing:
    """Keys by id, no older than `look_seconds` where the folder can be read.

    Args:
        stale_seconds: for how long the last keys hold that could be read: a key that is revoked meanwhile opens no longer than that.
        say: takes a line when the folder cannot be read, and when it can again.

    Raises:
        BadInput: the keys cannot be read at the start: without them nobody is known, and we say so rather than begin.
    """

    def __init__(
        self, store: KeyStore, look_seconds: float, stale_seconds: float, say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._store, self._every, self._stale, self._say, self._clock = store, look_seconds, stale_seconds, say, clock
        self._seen = self._stamp()
        self._keys: Mapping[str, Key] = {key.id: key for key in store.all()}
        self._looked = self._good = clock()
        self.degraded = ""

    def find(self, id_: str) -> Key | None:
        """The key of an id.

        Raises:
            Refused: 503, the keys could not be read for too long.
        """
        if self._clock() - self._looked >= self._every:
            self._look()
        if self._looked - self._good > self._stale:
            raise unchecked()
        return self._keys.get(id_)

    def _look(self) -> None:
        self._looked = self._clock()
        try:
            stamp = self._stamp()
            if stamp != self._seen or self.degraded:
                self._keys = self._read()
                self._seen = stamp
            self._good = self._looked
        except (BadInput, OSError) as error:
            if not self.degraded:
                self._say(f"the keys cannot be read, and stay as they were: {error}")
            holds = self._looked - self._good <= self._stale
            self.degraded = f"the keys cannot be read and {'stay as they were' if holds else 'let nobody in'}"

    def _read(self) -> Mapping[str, Key]:
        """What can be read. A damaged key stays as it was, unless it was revoked: it must not hide the others' revocations."""
        faults: dict[str, str] = {}
        keys = {key.id: key for key in self._store.all(faults)}
        keys |= {id_: self._keys[id_] for id_ in faults if id_ in self._keys and not self._store.is_revoked(id_)}
        if faults and not self.degraded:
            self._say(f"{len(faults)} of the keys cannot be read: {next(iter(faults.values()))}")
        elif self.degraded and not faults:
            self._say("the keys can be read again")
        self.degraded = "some keys cannot be read and stay as they were" if faults else ""
        return keys

    def _stamp(self) -> tuple[int, int]:
        """Changes with every file that is added: all files are written beside and renamed."""
        found = self._store.folder.stat()
        return found.st_mtime_ns, found.st_nlink
