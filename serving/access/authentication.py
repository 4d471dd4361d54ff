"""Authenticate a request from its headers (SERVE-3). A request without a valid API key or token is refused."""

import re
import time
from collections.abc import Callable
from pathlib import Path

from robo_poet.settings.serve import AccessSettings
from serving.access.api_keys import KeyStatus, KeyStore, parse_key_text
from serving.access.caller import Caller
from serving.access.json_web_token import InvalidToken, KeySet, read_token
from serving.access.key_ring import KeyRing
from serving.refusal import Refused

_BEARER = re.compile(r"Bearer +([A-Za-z0-9._~+/=-]+)", re.IGNORECASE)
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="robo-poet"'}


class ExpiredOrRevoked(Refused):
    """An error with status 401 for a key that is expired or revoked. The owner of the key is known, so the audit log can name the user.

    Args:
        caller: the owner of the key.
    """

    def __init__(self, code: str, message: str, caller: Caller) -> None:
        refused = _refused(code, message)
        super().__init__(refused.status, refused.code, refused.message, refused.headers)
        self.caller = caller


class Authenticator:
    """An authenticator for API keys and, if an issuer is configured, JSON Web Tokens.

    Args:
        folder: the folder with the API keys.
        say: called with each message for the operator.
        clock: returns Unix time in seconds.

    Raises:
        BadInput: the API keys or the issuer's key set cannot be read at the start.
    """

    def __init__(self, settings: AccessSettings, folder: Path, say: Callable[[str], None], clock: Callable[[], float] = time.time) -> None:
        self._settings, self._clock = settings, clock
        self._ring = KeyRing(KeyStore(folder), settings.look_seconds, settings.keys_stale_seconds, say)
        self._issuer = KeySet(settings.jwks, settings.jwks_seconds, settings.jwks_stale_hours * 3600, say) if settings.jwks else None

    @property
    def degraded(self) -> str:
        """Return a description of the current fault for the health page. It is empty if there is no fault."""
        return self._ring.degraded or (self._issuer.degraded if self._issuer else "")

    def authenticate(self, authorization: str | None, api_key: str | None) -> Caller:
        """Return the caller, from `Authorization: Bearer <key or token>` or `X-API-Key: <key>`.

        Raises:
            Refused: 401, the credentials are missing or not valid. Unknown, forged and wrong credentials get the same answer.
                Only a client with the right secret learns that its key is expired or revoked.
                503, the keys or the issuer's key set could not be read for too long.
        """
        credentials = []
        if authorization is not None:
            bearer = _BEARER.fullmatch(authorization.strip())
            if bearer is None:
                raise _refused("invalid_credentials", "the Authorization header must be `Bearer` and an API key or token")
            credentials.append(bearer[1])
        if api_key is not None:
            credentials.append(api_key.strip())
        if not credentials:
            raise _refused("missing_credentials", "send an API key: X-API-Key: rp_… or Authorization: Bearer rp_…")
        if len(set(credentials)) > 1:
            raise _refused("invalid_credentials", "the headers Authorization and X-API-Key differ; send only one of them")
        if credentials[0].startswith("rp_"):
            return self._by_key(credentials[0])
        if self._issuer is not None and api_key is None:
            return self._by_token(credentials[0], self._issuer)
        raise _invalid()

    def _by_key(self, text: str) -> Caller:
        parsed = parse_key_text(text)
        key = self._ring.find(parsed[0]) if parsed else None
        if parsed is None or key is None or not key.matches(parsed[1]):
            raise _invalid()
        status, caller = key.status(self._clock()), Caller(key.user, key.id, key.scopes, key.consent)
        if status is KeyStatus.REVOKED:
            raise ExpiredOrRevoked("revoked_credentials", "this API key was revoked; ask the operator for a new one", caller)
        if status is KeyStatus.EXPIRED:
            raise ExpiredOrRevoked("expired_credentials", "this API key has expired; ask the operator for a new one", caller)
        return caller

    def _by_token(self, text: str, issuer: KeySet) -> Caller:
        try:
            return read_token(text, issuer, self._settings)
        except InvalidToken as error:
            if error.expired:
                raise _refused("expired_credentials", "this token has expired; get a new one from its issuer") from None
            raise _invalid() from None


def require_scope(caller: Caller, scope: str) -> None:
    """Check that the caller has a scope.

    Raises:
        Refused: 403, the scope is missing.
    """
    if scope not in caller.scopes:
        raise Refused(403, "missing_scope", f"the API key or token lacks the scope {scope}")


def _invalid() -> Refused:
    return _refused("invalid_credentials", "the API key or token is not valid")


def _refused(code: str, message: str) -> Refused:
    return Refused(401, code, message, CHALLENGE)
