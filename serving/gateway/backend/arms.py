"""The arm (stable or canary) that serves a user (SERVE-5), and signed completion ids, which say the version that wrote a completion.

The same user gets the same arm while the shares stand. Replicas share a key and no table.
"""

import base64
import hashlib
import hmac
import secrets
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass

CHAMPION, CANARY = "champion", "canary"


@dataclass(frozen=True)
class Arm:
    """A version, and how many of the users it answers.

    Attributes:
        weight: not negative; of the sum of all arms' weights.
    """

    name: str
    version: int
    weight: float


def arms(champion: int, canary: int | None, share: float) -> tuple[Arm, ...]:
    """The arms of a canary that gets `share`, 0 to 1, of the users. The canary stands first: a larger share only adds to those it had."""
    if canary is None or canary == champion or share <= 0:
        return (Arm(CHAMPION, champion, 1.0),)
    return Arm(CANARY, canary, share), Arm(CHAMPION, champion, 1.0 - share)


def choose(user: str, among: Sequence[Arm], experiment: str = "") -> Arm:
    """The arm of `user`.

    Args:
        among: at least one, of a positive weight in sum.
        experiment: another one deals users out anew; the canary's digest, say.

    Raises:
        ValueError: no arm has any weight.
    """
    total = sum(arm.weight for arm in among)
    if not total > 0 or any(arm.weight < 0 for arm in among):
        raise ValueError("weights are not negative, and one is more than 0")
    digest = hashlib.blake2b(f"{experiment}\0{user}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    point = int.from_bytes(digest, "big") / 2**64 * total
    for arm in among:
        if point < arm.weight:
            return arm
        point -= arm.weight
    return next(arm for arm in reversed(among) if arm.weight > 0)  # sums of floats may fall short by a last bit


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
