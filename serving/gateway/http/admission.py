"""Admission of requests: a limit on requests in flight, authentication, scopes and rate limits (SERVE-1, SERVE-3)."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from starlette.datastructures import Headers

from serving.access.authentication import Authenticator, ExpiredOrRevoked, require_scope
from serving.access.caller import END_USERS_SCOPE, Caller, end_user_of, may_train
from serving.access.rate_limiter import EXEMPT_SCOPE, RateLimiter
from serving.gateway.http.exchange import Exchange
from serving.refusal import Refused

RETRY_SECONDS = 1  # sent in Retry-After: after this time nearly every slot has been freed and reused


class InFlightLimit:
    """A limit on the number of concurrent generation requests, in all and per user.

    Without the limit per user, one user could take all slots with streams that it does not read.

    Args:
        slots: maximum number of concurrent requests.
        per_user: maximum number of concurrent requests of one user.
    """

    def __init__(self, slots: int, per_user: int) -> None:
        self._slots, self._per_user = slots, per_user
        self._occupied = 0
        self._by_user: Counter[str] = Counter()

    @property
    def full(self) -> bool:
        """Whether the limit is reached."""
        return self._occupied >= self._slots

    @contextmanager
    def slot(self, caller: Caller) -> Iterator[None]:
        """Occupy one slot until the block ends. Callers with the scope `internal-load` have no limit per user.

        Raises:
            Refused: 503 `overloaded` if the limit is reached, 429 `too_many_at_once` if the limit of the user is reached.
        """
        if self.full:
            raise overloaded()
        if self._by_user[caller.user] >= self._per_user and EXEMPT_SCOPE not in caller.scopes:
            message = f"{self._per_user} requests of this user are running; try again when one has ended"
            raise Refused(429, "too_many_at_once", message, {"Retry-After": str(RETRY_SECONDS)})
        self._occupied += 1
        self._by_user[caller.user] += 1
        try:
            yield
        finally:
            self._occupied -= 1
            self._by_user[caller.user] -= 1
            if not self._by_user[caller.user]:
                del self._by_user[caller.user]


def overloaded() -> Refused:
    """Return the refusal for a request above the limit: 503 `overloaded`."""
    message = f"too many requests are running; try again in {RETRY_SECONDS} s"
    return Refused(503, "overloaded", message, {"Retry-After": str(RETRY_SECONDS)})


FAILURES = (401, 403)  # statuses that count as failed authentication of the address, so that guessing keys is limited


class Admission:
    """Authentication, scope check and rate limit of a request.

    Credentials are checked before any limit. A good key therefore works while others send bad keys from its address.
    """

    def __init__(self, access: Authenticator, limiter: RateLimiter) -> None:
        self._access, self._limiter = access, limiter

    def _authenticate(self, exchange: Exchange, headers: Mapping[str, str], scope: str) -> Caller:
        """Return the authenticated caller and record it in the exchange.

        Raises:
            Refused: 401 if the credential is missing or invalid, 403 if the scope is missing, 503 if credentials cannot be checked.
        """
        try:
            caller = self._access.authenticate(headers.get("authorization"), headers.get("x-api-key"))
        except ExpiredOrRevoked as refused:
            exchange.user, exchange.credential = refused.caller.user, refused.caller.credential
            raise
        exchange.user, exchange.credential = caller.user, caller.credential
        if exchange.connection is not None:
            exchange.connection.shown_good_key()
        require_scope(caller, scope)
        return caller

    async def admit(self, exchange: Exchange, headers: Headers, scope: str) -> tuple[Caller, dict[str, str]]:
        """Admit a request. Return the caller and the response headers with the remaining rate limit, which is that of the key's user.

        Args:
            exchange: the record of the request; the caller and the end user are noted there.
            headers: headers of the request; names are case-insensitive.
            scope: scope that the credential must have.

        Raises:
            Refused: 401, 403, 503 (credentials cannot be checked), 429 with Retry-After (rate limit reached), or an error of `end_user_of`.
        """
        try:
            caller = self._authenticate(exchange, headers, scope)
        except Refused as refused:
            if refused.status in FAILURES:  # 503 is our fault
                await self._limiter.failed(exchange.ip)
            raise
        allowance = await self._limiter.hit(caller, exchange.ip)
        exchange.end_user = end_user_of(caller, headers.getlist("x-end-user"))
        exchange.identified = exchange.end_user != "" or END_USERS_SCOPE not in caller.scopes
        exchange.may_train = may_train(caller)
        return caller, allowance.headers()

    @property
    def troubles(self) -> list[str]:
        """Problems of authentication and rate limiting that do not stop requests, for an operator."""
        return [trouble for trouble in (self._access.degraded, self._limiter.degraded) if trouble]
