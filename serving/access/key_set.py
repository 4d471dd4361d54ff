"""Public keys of a token issuer: a JWKS (RFC 7517), read from a file or over HTTPS and refreshed in the background."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import jwt

from robo_poet.errors import BadInput
from serving.access.unchecked import unchecked

ALGORITHMS = {"RSA": "RS256", "OKP": "EdDSA"}  # one algorithm for each key type, which prevents algorithm confusion attacks
MIN_RSA_BITS = 2048
HURRY_SECONDS = 10.0  # least time between two fetches for unknown key ids: a client can invent ids


class _NoAnswer(BadInput):
    """The issuer cannot be reached, or answers with an error status."""


class KeySet:
    """A cache of an issuer's public keys by key id.

    An issuer that does not answer at the start is not an error. It is asked again later; until it answers, every token is refused.

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
        self._fetched = self._tried = clock()
        self._busy = threading.Lock()
        self.degraded = ""
        try:
            self._keys = self._fetch()
        except _NoAnswer as error:
            self._fetched = float("-inf")
            self._failed(error)

    def find(self, id_: str) -> tuple[Any, str] | None:
        """Return a public key and its algorithm, or None if the id is unknown.

        An unknown id starts a fetch in the background, so the next request may find it.

        Raises:
            Refused: 503, there is no key set, or the last one is too old.
        """
        now = self._clock()
        key, too_old = self._keys.get(id_), now - self._fetched > self._stale  # read both before a fetch starts: it may finish first
        due = self._every if key else min(self._every, HURRY_SECONDS)
        if now - self._tried >= due and self._busy.acquire(blocking=False):
            self._tried = now
            threading.Thread(target=self._again, daemon=True).start()
        if too_old:
            raise unchecked()
        return key

    def _again(self) -> None:
        try:
            self._keys = self._fetch()
            self._fetched = self._clock()
            self.degraded = ""
        except BadInput as error:
            self._failed(error)
        finally:
            self._busy.release()

    def _failed(self, error: BadInput) -> None:
        consequence = "stay as they were" if self._keys else "are not there yet, and no token is taken"
        if not self.degraded:
            self._say(f"the token issuer's keys {consequence}: {error}")
        self.degraded = f"the token issuer's keys cannot be fetched and {consequence}"

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
            message = f"the issuer gives no key set ({type(error).__name__})"
            raise _NoAnswer(message, where=self._source, remedy="it is asked again in a while") from None
        except (OSError, ValueError, RecursionError) as error:
            raise BadInput(f"no key set ({type(error).__name__})", where=self._source, remedy="it is the issuer's JWKS") from None


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
