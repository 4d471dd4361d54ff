"""One entry of the registry's log: what somebody stated, where it stands in the chain, and its exact bytes.

An entry has one spelling only (sorted keys, fixed layout) and carries its own SHA-256, so that a changed byte shows in the last entry
too, which no later one vouches for. Knows nothing of stages, folders or buckets.
"""

import json
import uuid
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from robo_poet.digest import digest_bytes
from robo_poet.errors import BadInput
from robo_poet.registry.errors import Corrupt

GENESIS = "0" * 64  # what the first entry names as its predecessor


def canonical(value: Any) -> bytes:
    """The one spelling of a JSON value. Reads its own JSON first, because 10 sorts before 2 as text and after it as a number."""
    plain = json.loads(json.dumps(value, allow_nan=False))
    return (json.dumps(plain, sort_keys=True, indent=1) + "\n").encode()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True)
class Statement:
    """What somebody wants the log to say.

    Args:
        action: what is done to the version, a `state.Action`.
        version: the version's number, from 1.
        who, why: a person or program, and the reason; neither may be empty.
        details: what the action needs beyond that (JSON).
        nonce: tells our own entry from another's when an answer was lost on the way.
        time: UTC, ISO 8601; for people: the order is the index alone.
    """

    action: str
    version: int
    who: str
    why: str
    details: dict[str, Any] = field(default_factory=dict)
    nonce: str = field(default_factory=lambda: uuid.uuid4().hex)
    time: str = field(default_factory=_now)

    def __post_init__(self) -> None:
        for name in ("who", "why"):
            if not str(getattr(self, name)).strip():
                raise BadInput(f"the registry's log wants to know {name}", where=f"{self.action} version {self.version}")


@dataclass(frozen=True)
class Entry:
    """A statement in its place: entry `index` (from 1), after the entry whose bytes have the SHA-256 `previous`."""

    index: int
    previous: str
    statement: Statement

    def to_bytes(self) -> bytes:
        """The entry as it is stored."""
        body = {"index": self.index, "previous": self.previous, **asdict(self.statement)}
        return canonical({**body, "sha256": digest_bytes(canonical(body))})

    def well_typed(self) -> bool:
        """Whether every field is of its type; matters only for entries that come from outside."""
        said = self.statement
        texts = (self.previous, said.action, said.who, said.why, said.nonce, said.time)
        return type(self.index) is type(said.version) is int and all(type(t) is str for t in texts) and type(said.details) is dict

    @classmethod
    def from_bytes(cls, data: bytes, where: str) -> "Entry":
        """Read an entry back.

        Raises:
            Corrupt: at `where` is no entry, or not byte for byte the one that was written.
        """
        try:
            raw = json.loads(data)
            index, previous = raw.pop("index"), raw.pop("previous")
            raw.pop("sha256")
            entry = cls(index, previous, Statement(**raw))
            same = entry.to_bytes() == data and entry.well_typed()
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, BadInput):
            same = False
        if not same:
            raise Corrupt("the log entry is not what was written", where=where, remedy="restore this file from a backup")
        return entry
