"""Log entries of the registry, and the registry's errors.

An entry is a statement, its position in the hash chain, and its exact bytes. It has one canonical encoding (sorted keys, fixed layout) and
stores its own SHA-256. The chain protects each entry by the hash in the next one. The entry's own hash also protects the newest entry.

Every entry has the same form:

    {"form": 2, "index", "previous", "model", "action", "version", "who", "why", "details", "nonce", "time", "sha256", "signatures": []}

`sha256` covers all other fields except `signatures`. A signature covers all fields except `signatures`.

All errors except `Lost` are shown to users: one line, with a remedy if one exists.
"""

import json
import re
import uuid
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from robo_poet.digest import digest_bytes
from robo_poet.errors import BadInput


class Corrupt(BadInput):
    """A log entry or a file of a version differs from what was written."""


class Conflict(BadInput):
    """Another writer changed the registry between our read and our change."""


class IllegalMove(BadInput):
    """The stage of the version does not allow this change."""


class OtherSource(BadInput):
    """A corpus from another address would become a version of the model."""


class NoSuchVersion(BadInput):
    """No version has this number."""


class Lost(Exception):
    """Another writer has already written this log entry. The caller must read the log and decide again.

    `Registry` handles this error and never raises it.
    """


GENESIS = "0" * 64  # `previous` of the first entry
FORM = 2  # form 1 had no model name; `robo_poet.registry.adoption` translates it


def is_digest(text: str) -> bool:
    """Return True if the text is a SHA-256 in hexadecimal digits."""
    return re.fullmatch(r"[0-9a-f]{64}", text) is not None


def canonical(value: Any) -> bytes:
    """Return the canonical JSON encoding of a value.

    The value is encoded and parsed once before its keys are sorted. So all keys are strings, and "10" sorts before "2". Integer keys would
    sort as numbers, and the same statement would have other bytes after a read.
    """
    plain = json.loads(json.dumps(value, allow_nan=False))
    return (json.dumps(plain, sort_keys=True, indent=1) + "\n").encode()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


class Action(StrEnum):
    """A change to a version, or (`add_source`) to the model."""

    REGISTER = "register"
    ADD_SOURCE = "add_source"
    START_CANARY = "start_canary"
    PROMOTE = "promote"
    ARCHIVE = "archive"
    REJECT = "reject"
    OVERRIDE = "override"
    PURGE = "purge"
    ADOPT = "adopt"
    SET_SHARE = "set_share"
    HOLD_CANARY = "hold_canary"
    RESUME_CANARY = "resume_canary"
    END_WATCH = "end_watch"
    JUDGE_AGAIN = "judge_again"
    SET_BASELINE = "set_baseline"


@dataclass(frozen=True)
class Statement:
    """A change to a version of a model that is to be logged.

    Args:
        model: name of the model.
        action: the change, an `Action`.
        version: the version's number, from 1; 0 if the statement is about the model.
        who, why: a person or program, and the reason; neither may be empty.
        details: further data of the action (JSON).
        nonce: random id of the statement. If the store's response is lost, it shows whether the stored entry is ours or another writer's.
        time: UTC, ISO 8601; for display only, because the index defines the order.

    Raises:
        BadInput: `who` or `why` is empty.
    """

    model: str
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
                raise BadInput(
                    f"`{name}` is empty", where=f"{self.action} {self.model} version {self.version}", remedy="give a name and a reason"
                )


@dataclass(frozen=True)
class Entry:
    """A statement at position `index` of the log (from 1).

    Args:
        previous: SHA-256 of the bytes of the entry before it.
        signatures: signatures of the entry: JSON objects with the id of the key and the signature.
    """

    index: int
    previous: str
    statement: Statement
    signatures: tuple[dict[str, Any], ...] = ()

    def to_bytes(self) -> bytes:
        """Return the bytes of the entry as stored."""
        return canonical({**self._body(), "signatures": list(self.signatures)})

    def payload(self) -> bytes:
        """Return the bytes that are signed."""
        return canonical(self._body())

    def _body(self) -> dict[str, Any]:
        body = {"form": FORM, "index": self.index, "previous": self.previous, **asdict(self.statement)}
        return {**body, "sha256": digest_bytes(canonical(body))}

    def has_valid_types(self) -> bool:
        """Return True if every field has its type. Only entries read from a store can fail this."""
        statement = self.statement
        texts = (self.previous, statement.model, statement.action, statement.who, statement.why, statement.nonce, statement.time)
        objects = (statement.details, *self.signatures)
        return (
            type(self.index) is type(statement.version) is int
            and all(type(text) is str for text in texts)
            and all(type(value) is dict for value in objects)
        )

    @classmethod
    def from_bytes(cls, data: bytes, where: str) -> "Entry":
        """Parse an entry.

        Raises:
            Corrupt: the bytes are not an entry, or differ from the canonical encoding of the entry; names `where`.
        """
        try:
            raw = json.loads(data)
            index, previous, signatures = raw.pop("index"), raw.pop("previous"), raw.pop("signatures")
            del raw["form"], raw["sha256"]
            entry = cls(index, previous, Statement(**raw), tuple(signatures))
            same = entry.to_bytes() == data and entry.has_valid_types()
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, BadInput):
            same = False
        if not same:
            raise Corrupt("the log entry was changed after it was written", where=where, remedy="restore this file from a backup")
        return entry
