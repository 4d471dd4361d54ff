"""API keys and the folder that stores them: one file for each key, and one more file for each event of a key.

Files are never changed, so no file is incomplete:
- `<id>.json` is the key.
- `<id>.revoked.json` and `<id>.expires.json` end it earlier.
- `<id>.withdrawn.json` ends its consent.

If an event file is deleted, the key is valid again, and the consent holds again. So only the gateway's operator may write into the folder.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from robo_poet.atomic import write_text
from robo_poet.commands import command
from robo_poet.errors import BadInput
from robo_poet.permissions import check_unchangeable, make_private_folder
from serving.access.caller import END_USERS_SCOPE, SCOPES, Consent, one_form

KEY_ID = re.compile(r"[a-z2-7]{16}")
KEY_FORM = re.compile(r"rp_([a-z2-7]{16})_([A-Za-z0-9_-]{43})")
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


class KeyStatus(StrEnum):
    """The validity of a key. Only a client that sends the right secret learns it."""

    GOOD = "good"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Key:
    """The stored record of a key.

    Attributes:
        id: the public id, 80 bits.
        user: the owner.
        scopes: the permissions, a subset of `SCOPES`.
        digest: SHA-256 of the secret, hexadecimal. The secret is 256 random bits, not a password, so it cannot be guessed.
            A slow hash would add no protection and would cost each request milliseconds.
        created, expires: Unix time in seconds.
        revoked: Unix time of the revocation in seconds, or None.
        why: the reason for the revocation.
        consent: whether prompts may become training text. It is `no` after a withdrawal.
        withdrawn: True if a consent was withdrawn.
    """

    id: str
    user: str
    scopes: frozenset[str]
    digest: str
    created: float
    expires: float
    revoked: float | None = None
    why: str = ""
    consent: Consent = Consent.NO
    withdrawn: bool = False

    def status(self, now: float) -> KeyStatus:
        """Return the validity at Unix time `now`, in seconds."""
        if self.revoked is not None:  # its time is not compared: the clock of the revoking machine may be ahead of ours
            return KeyStatus.REVOKED
        return KeyStatus.GOOD if now < self.expires else KeyStatus.EXPIRED

    def matches(self, secret: str) -> bool:
        """Return True if `secret` is the secret of this key. Takes constant time, so a timing attack learns nothing."""
        return hmac.compare_digest(self.digest, digest(secret))


def new_key() -> tuple[str, str]:
    """Return a new random id and secret."""
    return "".join(secrets.choice(_LETTERS) for _ in range(16)), secrets.token_urlsafe(32)


def key_text(id_: str, secret: str) -> str:
    """Return the API key as text, as the user receives it. It is shown only once."""
    return f"rp_{id_}_{secret}"


def parse_key_text(text: str) -> tuple[str, str] | None:
    """Return the id and the secret of an API key, or None if the text does not have the form of a key."""
    match = KEY_FORM.fullmatch(text)
    return (match[1], match[2]) if match else None


def digest(secret: str) -> str:
    """Return the SHA-256 of a secret, hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


DAY_SECONDS = 86_400.0


@dataclass(frozen=True)
class CreatedKey:
    """A new key with its text. The text is not stored."""

    key: Key
    text: str

    def __repr__(self) -> str:  # keeps the secret out of tracebacks
        return f"CreatedKey({self.key.id})"


class KeyStore:
    """A store of API keys in a folder. The folder is created with mode 0700 if it is missing.

    Args:
        folder: the folder with the keys.
        clock: returns Unix time in seconds.

    Raises:
        BadInput: the folder cannot be used, or other users may write into it.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.folder, self._clock = folder, clock
        try:
            make_private_folder(folder)
        except OSError as error:
            raise BadInput(f"the folder for API keys cannot be created ({error.strerror})", where=str(folder)) from None
        self._check_permissions(folder)

    def create(self, user: str, scopes: Iterable[str], days: float, consent: Consent = Consent.NO) -> CreatedKey:
        """Create a key.

        Args:
            user: name of 1 to 128 printable characters, without a space at its ends. It is stored in composed form (NFC).
            scopes: at least one of `SCOPES`.
            days: lifetime in days, up to 3650.
            consent: `readers` needs the scope end-users, and excludes `user`.

        Raises:
            BadInput: the user, a scope, the lifetime or the consent is not valid.
        """
        granted = frozenset(scopes)
        user = one_form(user)
        if not user or len(user) > 128 or not user.isprintable() or user != user.strip():
            raise BadInput("the name must have 1 to 128 printable characters, without a space at its ends", where="user")
        if not granted or not granted <= SCOPES.keys():
            unknown = ", ".join(sorted(granted - SCOPES.keys()))
            problem = f"unknown scope {unknown}" if unknown else "no scope is given"
            raise BadInput(problem, where="scope", remedy=f"choose from {', '.join(SCOPES)}")
        if not 0 < days <= 3650:
            raise BadInput(f"{days:g} is out of range", where="days", remedy="give more than 0 and at most 3650 days")
        if consent is not Consent.NO and (consent is Consent.READERS) != (END_USERS_SCOPE in granted):
            raise BadInput(
                f"a key with the scope {END_USERS_SCOPE} stands for many readers, so it consents for them (readers) or not at all (no)"
                if END_USERS_SCOPE in granted else f"a key without the scope {END_USERS_SCOPE} has no readers", where="consent",
                remedy="give `readers` only if the application has the consent of all readers" if END_USERS_SCOPE in granted
                else "give `user` or `no`",
            )  # fmt: skip
        now = self._clock()
        id_, secret = new_key()
        key = Key(id_, user, granted, digest(secret), now, now + days * DAY_SECONDS, consent=consent)
        record = {"user": user, "scopes": sorted(granted), "sha256": key.digest, "created": now, "expires": key.expires, "consent": consent}
        self._write(f"{id_}.json", record)
        return CreatedKey(key, key_text(id_, secret))

    def revoke(self, id_: str, why: str) -> Key:
        """Revoke a key now and return its record. Revoking it again changes nothing.

        Raises:
            BadInput: the key does not exist, or the reason is empty.
        """
        if not why.strip():
            raise BadInput("a reason is required", where="why")
        key = self.key(id_)
        if key.revoked is None:
            self._write(f"{key.id}.revoked.json", {"at": self._clock(), "why": why})
        return self.key(key.id)

    def withdraw(self, id_: str) -> list[Key]:
        """Withdraw the consent of all keys of the user of this key; return the keys that had a consent. It is safe to repeat.

        Not only of one key: after `rotate`, two keys have the consent of one person.

        Raises:
            BadInput: the key does not exist, or a file of keys is damaged.
        """
        user = self.key(id_).user
        keys = [key for key in self.read_all() if key.user == user and key.consent is not Consent.NO]
        for key in keys:
            self._write(f"{key.id}.withdrawn.json", {"at": self._clock()})
        return keys

    def rotate(self, id_: str, overlap_days: float, days: float) -> CreatedKey:
        """Create a new key for the same user, scopes and consent. The old key ends after the overlap,
        or at its own expiry if that is earlier.

        Args:
            overlap_days: days for which both keys are valid, 0 to 365.
            days: lifetime of the new key in days.

        Raises:
            BadInput: the key does not exist, or it is expired or revoked.
        """
        old = self.key(id_)
        id_ = old.id
        now = self._clock()
        if old.status(now) is not KeyStatus.GOOD:
            raise BadInput(f"the key is {old.status(now)}", where=id_, remedy="create a new one")
        if not 0 <= overlap_days <= 365:
            raise BadInput(f"{overlap_days:g} is out of range", where="overlap-days", remedy="give 0 to 365 days")
        new = self.create(old.user, old.scopes, days, old.consent)
        self._write(f"{id_}.expires.json", {"at": min(old.expires, now + overlap_days * DAY_SECONDS)})
        return new

    def key(self, id_: str) -> Key:
        """Return the key with this id. The whole key text is accepted as well.

        Raises:
            BadInput: the key does not exist, or its files are damaged.
        """
        parsed = parse_key_text(id_)  # an operator may paste a leaked key to revoke it
        id_ = parsed[0] if parsed else id_
        key = self._read(id_) if KEY_ID.fullmatch(id_) else None
        if key is None:
            raise BadInput("no such key", where=id_ if KEY_ID.fullmatch(id_) else "ID", remedy=f"list the keys: {command('keys list')}")
        return key

    def read_all(self, faults: dict[str, str] | None = None) -> list[Key]:
        """Return all keys, the newest last.

        Args:
            faults: receives the error of each damaged key by id; such keys are skipped. If None, a damaged file raises.

        Raises:
            BadInput: a file is damaged and `faults` is None, the folder cannot be read, or other users may write into it.
        """
        self._check_permissions(self.folder)
        try:
            ids = {path.name[:-5] for path in self.folder.glob("*.json") if KEY_ID.fullmatch(path.name[:-5])}
        except OSError as error:
            raise BadInput(f"the API keys cannot be read ({error.strerror})", where=str(self.folder)) from None
        keys = []
        for id_ in ids:
            try:
                keys.append(self._read(id_))
            except BadInput as error:
                if faults is None:
                    raise
                faults[id_] = str(error)
        return sorted(filter(None, keys), key=lambda key: (key.created, key.id))

    def is_revoked(self, id_: str) -> bool:
        """Return True if the key was revoked. The revocation file counts even if it cannot be read."""
        return (self.folder / f"{id_}.revoked.json").exists()

    def is_withdrawn(self, id_: str) -> bool:
        """Return True if the consent of the key was withdrawn. The file counts even if it cannot be read."""
        return (self.folder / f"{id_}.withdrawn.json").exists()

    def _check_permissions(self, path: Path) -> None:
        kind = "key folder" if path == self.folder else "key file"
        check_unchangeable(path, kind, then="revoke keys that you did not create")

    def _read(self, id_: str) -> Key | None:
        path = self.folder / f"{id_}.json"
        try:
            if not path.exists():
                return None
            self._check_permissions(path)
            record = json.loads(path.read_text("utf-8"))
            key = Key(
                id_, one_form(record["user"]), frozenset(record["scopes"]), record["sha256"], float(record["created"]),
                float(record["expires"]), consent=Consent(record.get("consent", Consent.NO)),
            )  # fmt: skip
            if self.is_withdrawn(id_):
                key = replace(key, consent=Consent.NO, withdrawn=True)
            shortened = self.folder / f"{id_}.expires.json"
            if shortened.exists():
                key = replace(key, expires=min(key.expires, float(json.loads(shortened.read_text("utf-8"))["at"])))
            revoked = self.folder / f"{id_}.revoked.json"
            if revoked.exists():
                revocation = json.loads(revoked.read_text("utf-8"))
                key = replace(key, revoked=float(revocation["at"]), why=str(revocation["why"]))
            return key
        except (OSError, ValueError, KeyError, TypeError):
            raise BadInput(
                "the key file is damaged", where=str(path), remedy="restore it from a backup, or delete it and create a new key"
            ) from None

    def _write(self, name: str, value: dict[str, Any]) -> None:
        path = self.folder / name
        write_text(path, json.dumps(value) + "\n", durable=True, mode=0o600)
        os.utime(self.folder)  # changes the folder's mtime, so that each `KeyRing` reloads
