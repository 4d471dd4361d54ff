"""API keys: what a person holds, what we keep of it, and when it is good. Pure."""

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
    """Of a key whose secret is right."""

    GOOD = "good"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Key:
    """What is kept of a key.

    Attributes:
        id: public, 80 bits.
        digest: SHA-256 of the secret, hexadecimal. The secret is 256 random bits and no password: nobody can try them all, so a slow
            hash would protect nothing and cost each request milliseconds.
        created, expires: seconds of Unix time.
        revoked: when, or None.
        why: it was revoked.
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
        """Whether it is good at a time."""
        if self.revoked is not None:  # whatever its time: the clock of who revoked may be ahead of ours
            return Standing.REVOKED
        return Standing.GOOD if now < self.expires else Standing.EXPIRED

    def opened_by(self, secret: str) -> bool:
        """Whether this is its secret; takes as long for a wrong one."""
        return hmac.compare_digest(self.digest, digest(secret))


def new_key() -> tuple[str, str]:
    """An id and a secret."""
    return "".join(secrets.choice(_LETTERS) for _ in range(16)), secrets.token_urlsafe(32)


def text_of(id_: str, secret: str) -> str:
    """What a person is given, once."""
    return f"rp_{id_}_{secret}"


def parse(text: str) -> tuple[str, str] | None:
    """Id and secret; None where it has not the form of a key."""
    found = FORM.fullmatch(text)
    return (found[1], found[2]) if found else None


def digest(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
