"""API keys: their text form, the stored record, and their validity. No I/O."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum

ID = re.compile(r"[a-z2-7]{16}")
FORM = re.compile(r"rp_([a-z2-7]{16})_([A-Za-z0-9_-]{43})")
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


class Standing(StrEnum):
    """The validity of a key. It is only told to a client that has the right secret."""

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
    """

    id: str
    user: str
    scopes: frozenset[str]
    digest: str
    created: float
    expires: float
    revoked: float | None = None
    why: str = ""

    def standing(self, now: float) -> Standing:
        """Return the validity at Unix time `now`, in seconds."""
        if self.revoked is not None:  # its time is not compared: the clock of the revoking machine may be ahead of ours
            return Standing.REVOKED
        return Standing.GOOD if now < self.expires else Standing.EXPIRED

    def opened_by(self, secret: str) -> bool:
        """Return True if `secret` is the secret of this key. Takes constant time, so a timing attack learns nothing."""
        return hmac.compare_digest(self.digest, digest(secret))


def new_key() -> tuple[str, str]:
    """Return a new random id and secret."""
    return "".join(secrets.choice(_LETTERS) for _ in range(16)), secrets.token_urlsafe(32)


def text_of(id_: str, secret: str) -> str:
    """Return the API key as text, as the user receives it. It is shown only once."""
    return f"rp_{id_}_{secret}"


def parse(text: str) -> tuple[str, str] | None:
    """Return the id and the secret of an API key, or None if the text does not have the form of a key."""
    match = FORM.fullmatch(text)
    return (match[1], match[2]) if match else None


def digest(secret: str) -> str:
    """Return the SHA-256 of a secret, hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()
