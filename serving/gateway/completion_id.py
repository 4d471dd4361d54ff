"""Ids of answers that prove themselves: who issued them, and which version wrote. Replicas share a key and no table."""

import base64
import hmac
import secrets
import struct
import time
from dataclasses import dataclass

from serving.gateway.route import CANARY, CHAMPION

_FORM = struct.Struct(">IIB7s")  # seconds since 1970, version, arm, chance: 16 bytes
_MAC = 14  # bytes; with the others 30, which base64 writes in 40 characters without padding
_ARMS = (CHAMPION, CANARY)


@dataclass(frozen=True)
class Issued:
    """What an id says."""

    seconds: int
    version: int
    arm: str


class CompletionIds:
    """Issues ids and reads them.

    Args:
        key: secret, 32 bytes.
        days: for which an id is good.
    """

    def __init__(self, key: bytes, days: int) -> None:
        self._key, self._seconds = key, days * 86_400

    def issue(self, version: int, arm: str, now: float | None = None) -> str:
        """A new id, 40 letters, digits, `-` and `_`."""
        seconds = int(time.time() if now is None else now)
        data = _FORM.pack(seconds, version, _ARMS.index(arm), secrets.token_bytes(7))
        return base64.urlsafe_b64encode(data + self._mac(data)).decode()

    def read(self, text: str, now: float | None = None) -> Issued | None:
        """What an id says, or None: it is not ours, was altered, or is too old."""
        try:
            data = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        except ValueError:
            return None
        known, mac = data[: _FORM.size], data[_FORM.size :]
        if len(known) != _FORM.size or not hmac.compare_digest(mac, self._mac(known)):
            return None
        seconds, version, arm, _ = _FORM.unpack(known)
        if (time.time() if now is None else now) - seconds > self._seconds or arm >= len(_ARMS):
            return None
        return Issued(seconds, version, _ARMS[arm])

    def _mac(self, data: bytes) -> bytes:
        return hmac.digest(self._key, b"completion\0" + data, "sha256")[:_MAC]
