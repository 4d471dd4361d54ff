"""Signatures of bytes with a type, by DSSE (Dead Simple Signing Envelope, v1.0).

DSSE signs the type together with the content. So a signature of a log entry is no signature of an attestation with the same bytes.
"""

import base64
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from robo_poet.registry.trust.keys import PrivateKey, PublicKey


class Verdict(StrEnum):
    """What the signatures of a document say. Only `TRUSTED` is acceptable."""

    TRUSTED = "is signed by a trusted key"
    UNSIGNED = "has no signature"
    UNKNOWN = "is signed by an unknown key"
    ALTERED = "differs from what was signed"


def encode(kind: str, payload: bytes) -> bytes:
    """Return the bytes that DSSE signs (PAE, the pre-authentication encoding)."""
    return b"DSSEv1 %d %s %d %s" % (len(kind.encode()), kind.encode(), len(payload), payload)


def sign(kind: str, payload: bytes, key: PrivateKey) -> dict[str, str]:
    """Return the signature as a JSON object with the id of the key."""
    return {"keyid": key.public.id, "sig": base64.b64encode(key.sign(encode(kind, payload))).decode()}


def judge(kind: str, payload: bytes, signatures: Iterable[Mapping[str, Any]], keys: Mapping[str, PublicKey]) -> tuple[Verdict, str]:
    """Return what the signatures say about a payload, and the id of the key that decides. One signature by a trusted key is enough.

    Args:
        keys: id → trusted key.
    """
    verdict, by = Verdict.UNSIGNED, ""
    for signature in signatures:
        key_id = signature.get("keyid")
        key = keys.get(key_id) if isinstance(key_id, str) else None
        if key is None:
            if verdict is Verdict.UNSIGNED:
                verdict, by = Verdict.UNKNOWN, str(key_id)[:64]
        elif key.verifies(encode(kind, payload), _decode(signature.get("sig"))):
            return Verdict.TRUSTED, key.id
        else:
            verdict, by = Verdict.ALTERED, key.id
    return verdict, by


def _decode(text: object) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError:
        return b""
