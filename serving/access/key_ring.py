"""In-memory copy of the API keys. It is reloaded when the folder changes, and kept for a limited time when the folder cannot be read."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from robo_poet.errors import BadInput
from serving.access.api_keys import Key, KeyStore
from serving.access.caller import Consent, credentials_unchecked


class KeyRing:
    """A cache of the keys by id. It is at most `look_seconds` old while the folder can be read.

    Args:
        store: the folder of keys.
        look_seconds: seconds between two checks of the folder.
        stale_seconds: how long the last keys stay valid when the folder cannot be read. A key that is revoked in that time
            stays valid until the folder can be read again or this time is over.
        say: called with a message when the folder cannot be read, and when it can be read again.
        clock: returns monotonic time in seconds.

    Raises:
        BadInput: the keys cannot be read at the start. No request could be authenticated, so the gateway does not start.
    """

    def __init__(
        self, store: KeyStore, look_seconds: float, stale_seconds: float, say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._store, self._look_seconds, self._stale_seconds, self._say, self._clock = store, look_seconds, stale_seconds, say, clock
        self._loaded_stamp = self._folder_stamp()
        self._keys: Mapping[str, Key] = {key.id: key for key in store.read_all()}
        self._checked_at = self._read_at = clock()
        self.degraded = ""

    def find(self, id_: str) -> Key | None:
        """Return the key with this id, or None.

        Raises:
            Refused: 503, the keys could not be read for more than `stale_seconds`.
        """
        if self._clock() - self._checked_at >= self._look_seconds:
            self._reload()
        if self._checked_at - self._read_at > self._stale_seconds:
            raise credentials_unchecked()
        return self._keys.get(id_)

    def _reload(self) -> None:
        self._checked_at = self._clock()
        try:
            stamp = self._folder_stamp()
            if stamp != self._loaded_stamp or self.degraded:
                self._keys = self._read()
                self._loaded_stamp = stamp
            self._read_at = self._checked_at
        except (BadInput, OSError) as error:
            if not self.degraded:
                self._say(f"the API keys cannot be read; the last loaded keys stay valid for {self._stale_seconds:g} s: {error}")
            still_valid = self._checked_at - self._read_at <= self._stale_seconds
            consequence = "the last loaded keys are used" if still_valid else "all API keys are refused"
            self.degraded = f"the API keys cannot be read; {consequence}"

    def _read(self) -> Mapping[str, Key]:
        """Read all keys. A key with a damaged file keeps its last value without the consent, unless it was revoked.

        One damaged file does not stop the load: revocations of other keys must take effect.
        """
        faults: dict[str, str] = {}
        keys = {key.id: key for key in self._store.read_all(faults)}
        damaged = (id_ for id_ in faults if id_ in self._keys and not self._store.is_revoked(id_))
        keys |= {id_: replace(self._keys[id_], consent=Consent.NO) for id_ in damaged}
        if faults and not self.degraded:
            self._say(f"{len(faults)} API key files cannot be read; the first error: {next(iter(faults.values()))}")
        elif self.degraded and not faults:
            self._say("the API keys can be read again")
        self.degraded = "some API key files cannot be read; the last loaded values of these keys are used" if faults else ""
        return keys

    def _folder_stamp(self) -> tuple[int, int]:
        """Return a value that changes with every added file. Files are written under a temporary name and renamed, so the mtime changes."""
        status = self._store.folder.stat()
        return status.st_mtime_ns, status.st_nlink
