"""Validation of JSON Web Tokens from the configured issuer (RFC 7519, with the best practices of RFC 8725)."""

from typing import Any

import jwt

from robo_poet.settings.access import AccessSettings
from serving.access.identity import SCOPES, Caller
from serving.access.key_set import KeySet

MAX_BYTES = 8192
TYPES = (None, "jwt", "at+jwt")


class BadToken(Exception):
    """The token is not valid. `expired` is True if expiry is the only fault."""

    def __init__(self, why: str, *, expired: bool = False) -> None:
        super().__init__(why)
        self.expired = expired


def read_token(text: str, keys: KeySet, settings: AccessSettings) -> Caller:
    """Validate a token and return its caller.

    The algorithm comes from the key, never from the token's header. The claims `iss`, `aud`, `sub`, `iat` and `exp` are required.

    Raises:
        BadToken: the token is not valid. The reason is for tests and is not sent to the client.
        Refused: 503, the issuer's key set is missing or too old.
    """
    if len(text) > MAX_BYTES:
        raise BadToken("too large")
    try:
        header = jwt.get_unverified_header(text)
    except jwt.PyJWTError as error:
        raise BadToken(f"no token: {error}") from None
    token_type = header.get("typ")
    if "crit" in header or (token_type.lower() if isinstance(token_type, str) else token_type) not in TYPES:
        raise BadToken("a header we do not know")
    key_and_algorithm = keys.find(header["kid"]) if isinstance(header.get("kid"), str) else None
    if key_and_algorithm is None:
        raise BadToken("an unknown key")
    key, algorithm = key_and_algorithm
    try:
        claims: dict[str, Any] = jwt.decode(
            text, key, algorithms=[algorithm], audience=settings.audience, issuer=settings.issuer, leeway=settings.clock_skew_seconds,
            options={"require": ["exp", "iat", "sub", "aud", "iss"]},
        )  # fmt: skip
    except jwt.ExpiredSignatureError:
        raise BadToken("expired", expired=True) from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise BadToken(f"refused: {type(error).__name__}") from None
    lifetime = int(claims["exp"]) - int(claims["iat"])  # int, as PyJWT reads them: a float would overflow
    if not 0 < lifetime <= settings.token_hours * 3600:
        raise BadToken("lives too long")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= 256 or not subject.isprintable():
        raise BadToken("no subject")
    user = subject if settings.tokens_name_our_users else f"{settings.issuer}|{subject}"
    token_id = claims.get("jti")
    public_id = token_id if isinstance(token_id, str) and 0 < len(token_id) <= 64 and token_id.isprintable() else "-"
    return Caller(user, f"jwt:{public_id}", _scopes(claims.get("scope", claims.get("scp", ""))))


def _scopes(claim: object) -> frozenset[str]:
    """Return the known scopes of a claim: words in a string (RFC 8693), or a list. Unknown scopes are dropped."""
    words = (
        claim.split() if isinstance(claim, str) else [word for word in claim if isinstance(word, str)] if isinstance(claim, list) else []
    )
    return frozenset(words) & SCOPES.keys()
