"""The arm of a user, from the registry's state (SERVE-5, contract 13), and signed completion ids that contain the version and the arm.

A user changes the arm only by a decision in the registry's log. Replicas need a common key, but no common table.
"""

import base64
import hashlib
import hmac
import re
import secrets
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass

from robo_poet.judges.canary.observations import CANARY, CHAMPION
from robo_poet.outcomes.record import NO_STEP, WATCH, experiment_id
from robo_poet.registry.state.state import State

FORMER = "former"  # the former champion, which keeps some users after a promotion


@dataclass(frozen=True)
class Arm:
    """A version and its share of the users.

    Attributes:
        name: `champion`, `canary` or `former`.
        weight: at least 0, relative to the sum of all weights.
        judged: name of the arm for the judge: `canary` for a promoted version that is watched, and `champion` for the former one.
    """

    name: str
    version: int
    weight: float
    judged: str = CHAMPION


@dataclass(frozen=True)
class Exposure:
    """How the registry's state divides the users.

    Attributes:
        arms: empty without a champion. The tested version comes first, so a larger share moves no user away from it.
        experiment: what assigns users to arms; empty without a canary or a watch. It is the same before and after a promotion.
        step: step of the ramp; NO_STEP or WATCH, see `robo_poet.outcomes.record`.
    """

    arms: tuple[Arm, ...] = ()
    experiment: str = ""
    step: int = NO_STEP

    def share(self, name: str) -> float:
        """Return the share of the users of an arm, 0 to 1."""
        return next((arm.weight for arm in self.arms if arm.name == name), 0.0)


def exposure(state: State) -> Exposure:
    """Return how a state of the registry divides the users.

    In the watch after a promotion, the former champion keeps the users that the ramp would have reached last. So nobody moves back to it,
    if the ramp ended at a share of at most 1 - `watch.share`.
    """
    champion, canary, watch = state.champion, state.canary, state.watch
    if champion is None:
        return Exposure()
    if watch is not None:
        arms = (Arm(CHAMPION, champion, 1.0 - watch.share, CANARY), Arm(FORMER, watch.former, watch.share))
        return Exposure(arms, experiment_id(state.record(champion).digest, watch.ramp), WATCH)
    if canary is None:
        return Exposure((Arm(CHAMPION, champion, 1.0),))
    arms = (Arm(CANARY, canary, state.canary_share, CANARY), Arm(CHAMPION, champion, 1.0 - state.canary_share))
    return Exposure(arms, experiment_id(state.record(canary).digest, state.canary_since), state.canary_step)


def choose(user: str, among: Sequence[Arm], experiment: str = "") -> Arm:
    """Return the arm of `user`, chosen by a hash of the user.

    Args:
        among: at least one arm, with a positive sum of weights.
        experiment: part of the hash. Another value, such as the digest of a new canary, assigns all users again.

    Raises:
        ValueError: a weight is negative, or all weights are 0.
    """
    total = sum(arm.weight for arm in among)
    if not total > 0 or any(arm.weight < 0 for arm in among):
        raise ValueError("weights must be at least 0, and one of them more than 0")
    digest = hashlib.blake2b(f"{experiment}\0{user}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    point = int.from_bytes(digest, "big") / 2**64 * total
    for arm in among:
        if point < arm.weight:
            return arm
        point -= arm.weight
    return next(arm for arm in reversed(among) if arm.weight > 0)  # rounding can leave `point` above the last weight


_FORM = struct.Struct(">IIB7s")  # seconds since 1970, version, arm, random bytes: 16 bytes
_MAC = 14  # bytes; 30 in total, which base64 encodes in 40 characters without padding
_ARMS = (CHAMPION, CANARY, FORMER)
_ID = re.compile(r"[A-Za-z0-9_-]{40}")  # the only spelling: 40 characters are exactly 30 bytes, so no bit is left over


@dataclass(frozen=True)
class Issued:
    """The content of a completion id."""

    seconds: int
    version: int
    arm: str


class CompletionIds:
    """A class that creates and reads signed completion ids.

    Args:
        key: secret key, 32 bytes.
        model: name of the model. It is part of the signature, so an id is valid only for this model, also if replicas share the key.
        days: validity of an id in days.
    """

    def __init__(self, key: bytes, model: str, days: int) -> None:
        self._key, self._model, self._seconds = key, model.encode(), days * 86_400

    def issue(self, version: int, arm: str, now: float | None = None) -> str:
        """Return a new id: 40 characters from letters, digits, `-` and `_`."""
        seconds = int(time.time() if now is None else now)
        data = _FORM.pack(seconds, version, _ARMS.index(arm), secrets.token_bytes(7))
        return base64.urlsafe_b64encode(data + self._mac(data)).decode()

    def read(self, text: str, now: float | None = None) -> Issued | None:
        """Return the content of an id, or None if its signature is invalid or it has expired. An id has one spelling."""
        if not _ID.fullmatch(text):  # `b64decode` also accepts `+` and `/`: a user could rate one completion under several spellings
            return None
        decoded = base64.urlsafe_b64decode(text)
        payload, mac = decoded[: _FORM.size], decoded[_FORM.size :]
        if len(payload) != _FORM.size or not hmac.compare_digest(mac, self._mac(payload)):
            return None
        seconds, version, arm, _ = _FORM.unpack(payload)
        if (time.time() if now is None else now) - seconds > self._seconds or arm >= len(_ARMS):
            return None
        return Issued(seconds, version, _ARMS[arm])

    def _mac(self, data: bytes) -> bytes:
        return hmac.digest(self._key, b"completion\0" + self._model + b"\0" + data, "sha256")[:_MAC]
