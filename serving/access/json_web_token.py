"""JSON Web Tokens: the public keys of the configured issuer and the validation of a token (RFC 7519, RFC 8725).

The keys are a JWKS (RFC 7517), read from a file or over HTTPS and refreshed in the background.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import jwt

from robo_poet.errors import BadInput
from robo_poet.settings.serve import AccessSettings
from serving.access.caller import SCOPES, TOKEN_CREDENTIAL, Caller, Consent, credentials_unchecked, one_form

ALGORITHMS = {"RSA": "RS256", "OKP": "EdDSA"}  # one algorithm for each key type, which prevents algorithm confusion attacks
MIN_RSA_BITS = 2048
UNKNOWN_ID_SECONDS = 10.0  # minimum time between two fetches for unknown key ids, because a client can invent ids


class _IssuerUnavailable(BadInput):
    """The issuer cannot be reached, or answers with an error status."""


class KeySet:
    """A cache of an issuer's public keys by key id.

    If the issuer does not answer at the start, no error is raised. The keys are fetched again later. Until then, every token is refused.

    Args:
        source: path of a file, or a URL.
        every: seconds between two fetches.
        stale: how long the last good set stays valid, in seconds.
        say: called with each message for the operator.
        clock: returns monotonic time in seconds.

    Raises:
        BadInput: the file is missing, or the content is not a usable key set.
    """

    def __init__(
        self, source: str, every: float, stale: float, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._source, self._every, self._stale, self._say, self._clock = source, every, stale, say, clock
        self._keys: Mapping[str, tuple[Any, str]] = {}
        self._fetched_at = self._attempted_at = clock()
        self._fetch_lock = threading.Lock()
        self.degraded = ""
        try:
            self._keys = self._fetch()
        except _IssuerUnavailable as error:
            self._fetched_at = float("-inf")
            self._report_failure(error)

    def find(self, id_: str) -> tuple[Any, str] | None:
        """Return a public key and its algorithm, or None if the id is unknown.

        An unknown id starts a fetch in the background, so the next request may find it.

        Raises:
            Refused: 503, there is no key set, or the last one is too old.
        """
        now = self._clock()
        key, too_old = self._keys.get(id_), now - self._fetched_at > self._stale  # read both before a fetch starts: it may finish first
        due = self._every if key else min(self._every, UNKNOWN_ID_SECONDS)
        if now - self._attempted_at >= due and self._fetch_lock.acquire(blocking=False):
            self._attempted_at = now
            threading.Thread(target=self._refresh, daemon=True).start()
        if too_old:
            raise credentials_unchecked()
        return key

    def _refresh(self) -> None:
        try:
            self._keys = self._fetch()
            self._fetched_at = self._clock()
            self.degraded = ""
        except BadInput as error:
            self._report_failure(error)
        finally:
            self._fetch_lock.release()

    def _report_failure(self, error: BadInput) -> None:
        consequence = "the last fetched set is used" if self._keys else "all tokens are refused"
        if not self.degraded:
            self._say(f"the token issuer's key set cannot be fetched; {consequence}: {error}")
        self.degraded = f"the token issuer's key set cannot be fetched; {consequence}"

    def _fetch(self) -> Mapping[str, tuple[Any, str]]:
        try:
            if self._source.startswith(("https://", "http://")):
                response = httpx.get(self._source, timeout=5, follow_redirects=False)
                response.raise_for_status()
                text = response.text
            else:
                text = Path(self._source).read_text("utf-8")
            return read_keys(text)
        except httpx.HTTPError as error:
            message = f"the issuer returned no key set ({type(error).__name__})"
            raise _IssuerUnavailable(message, where=self._source, remedy="the fetch is retried automatically") from None
        except (OSError, ValueError, RecursionError) as error:
            problem = f"not a usable key set ({type(error).__name__})"
            raise BadInput(problem, where=self._source, remedy="give the issuer's JWKS, as a file or an https URL") from None


def read_keys(text: str) -> Mapping[str, tuple[Any, str]]:
    """Parse a JWKS and return its usable keys by id, each with its algorithm. Keys of other types are skipped.

    Raises:
        ValueError: the text is not a JWKS, or it contains no usable key.
    """
    keys: dict[str, tuple[Any, str]] = {}
    document = json.loads(text)
    for jwk in document["keys"] if isinstance(document, dict) and isinstance(document.get("keys"), list) else []:
        if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig" or not isinstance(jwk.get("kid"), str):
            continue
        algorithm = ALGORITHMS.get(str(jwk.get("kty")))
        if algorithm is None or jwk.get("alg", algorithm) != algorithm or "d" in jwk:  # "d": a private key
            continue
        try:
            key = jwt.PyJWK(jwk, algorithm).key
        except (jwt.PyJWTError, ValueError):
            continue
        if algorithm == "RS256" and key.key_size < MIN_RSA_BITS:
            continue
        keys[jwk["kid"]] = (key, algorithm)
    if not keys:
        raise ValueError("no usable key")
    return keys


MAX_TOKEN_BYTES = 8192
TOKEN_TYPES = (None, "jwt", "at+jwt")  # with or without the prefix `application/` (RFC 7515, RFC 9068); case is ignored


class InvalidToken(Exception):
    """The token is not valid. `expired` is True if expiry is the only fault."""

    def __init__(self, why: str, *, expired: bool = False) -> None:
        super().__init__(why)
        self.expired = expired


def read_token(text: str, keys: KeySet, settings: AccessSettings) -> Caller:
    """Validate a token and return its caller.

    The algorithm comes from the key, never from the token's header. The claims `iss`, `aud`, `sub`, `iat` and `exp` are required.

    Raises:
        InvalidToken: the token is not valid. The reason is for tests and is not sent to the client.
        Refused: 503, the issuer's key set is missing or too old.
    """
    if len(text) > MAX_TOKEN_BYTES:
        raise InvalidToken("too large")
    try:
        header = jwt.get_unverified_header(text)
    except jwt.PyJWTError as error:
        raise InvalidToken(f"not a token: {error}") from None
    token_type = header.get("typ")
    if isinstance(token_type, str):
        token_type = token_type.lower().removeprefix("application/")
    if "crit" in header or token_type not in TOKEN_TYPES:
        raise InvalidToken("unsupported header")
    key_and_algorithm = keys.find(header["kid"]) if isinstance(header.get("kid"), str) else None
    if key_and_algorithm is None:
        raise InvalidToken("unknown key id")
    key, algorithm = key_and_algorithm
    try:
        claims: dict[str, Any] = jwt.decode(
            text, key, algorithms=[algorithm], audience=settings.audience, issuer=settings.issuer, leeway=settings.clock_skew_seconds,
            options={"require": ["exp", "iat", "sub", "aud", "iss"]},
        )  # fmt: skip
    except jwt.ExpiredSignatureError:
        raise InvalidToken("expired", expired=True) from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidToken(f"not valid: {type(error).__name__}") from None
    lifetime = int(claims["exp"]) - int(claims["iat"])  # int, as PyJWT reads them: a float would overflow
    if not 0 < lifetime <= settings.token_hours * 3600:
        raise InvalidToken("lifetime out of range")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= 256 or not subject.isprintable():
        raise InvalidToken("subject not valid")
    subject = one_form(subject)
    user = subject if settings.tokens_name_our_users else f"{settings.issuer}|{subject}"
    token_id = claims.get("jti")
    public_id = token_id if isinstance(token_id, str) and 0 < len(token_id) <= 64 and token_id.isprintable() else "-"
    consent = _consent(claims.get(settings.consent_claim)) if settings.consent_claim else Consent.NO
    return Caller(user, f"{TOKEN_CREDENTIAL}{public_id}", _scopes(claims.get("scope", claims.get("scp", ""))), consent)


def _consent(claim: object) -> Consent:
    """Return the consent of a claim: true, `user` or `readers`. Every other value is no consent."""
    if claim is True:
        return Consent.USER
    return Consent(claim) if isinstance(claim, str) and claim in (Consent.USER, Consent.READERS) else Consent.NO


def _scopes(claim: object) -> frozenset[str]:
    """Return the known scopes of a claim: words in a string (RFC 8693), or a list. Unknown scopes are dropped."""
    words = (
        claim.split() if isinstance(claim, str) else [word for word in claim if isinstance(word, str)] if isinstance(claim, list) else []
    )
    return frozenset(words) & SCOPES.keys()
