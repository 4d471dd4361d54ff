"""JSON Web Tokens of the configured issuer (RFC 7519; the traps: RFC 8725)."""

from typing import Any

import jwt

from robo_poet.settings.access import AccessSettings
from serving.access.identity import SCOPES, Caller
from serving.access.key_set import KeySet

MAX_BYTES = 8192
TYPES = (None, "jwt", "at+jwt")


class BadToken(Exception):
    """A token that proves nothing; `expired` where that is all that is wrong with it."""

    def __init__(self, why: str, *, expired: bool = False) -> None:
        super().__init__(why)
        self.expired = expired


def read_token(text: str, keys: KeySet, settings: AccessSettings) -> Caller:
    """Whose token it is.

    The algorithm is the key's, never the token's own word; issuer, audience, subject, `iat` and `exp` must be there.

    Raises:
        BadToken: it is not good; the reason is for tests, not for the sender.
    """
    if len(text) > MAX_BYTES:
        raise BadToken("too large")
    try:
        header = jwt.get_unverified_header(text)
    except jwt.PyJWTError as error:
        raise BadToken(f"no token: {error}") from None
    kind = header.get("typ")
    if "crit" in header or (kind.lower() if isinstance(kind, str) else kind) not in TYPES:
        raise BadToken("a header we do not know")
    found = keys.find(header["kid"]) if isinstance(header.get("kid"), str) else None
    if found is None:
        raise BadToken("an unknown key")
    key, algorithm = found
    try:
        claims: dict[str, Any] = jwt.decode(
            text, key, algorithms=[algorithm], audience=settings.audience, issuer=settings.issuer, leeway=settings.clock_skew_seconds,
            options={"require": ["exp", "iat", "sub", "aud", "iss"]},
        )  # fmt: skip
    except jwt.ExpiredSignatureError:
        raise BadToken("expired", expired=True) from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise BadToken(f"refused: {type(error).__name__}") from None
    life = int(claims["exp"]) - int(claims["iat"])  # as PyJWT read them; a float would overflow
    if not 0 < life <= settings.token_hours * 3600:
        raise BadToken("lives too long")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= 256 or not subject.isprintable():
        raise BadToken("no subject")
    user = subject if settings.tokens_name_our_users else f"{settings.issuer}|{subject}"
    identity = claims.get("jti")
    public = identity if isinstance(identity, str) and 0 < len(identity) <= 64 and identity.isprintable() else "-"
    return Caller(user, f"jwt:{public}", _scopes(claims.get("scope", claims.get("scp", ""))))


def _scopes(claim: object) -> frozenset[str]:
    """Of `scope`, words in a string (RFC 8693) or a list; what we do not know means nothing here."""
    words = (
        claim.split() if isinstance(claim, str) else [word for word in claim if isinstance(word, str)] if isinstance(claim, list) else []
    )
    return frozenset(words) & SCOPES.keys()
