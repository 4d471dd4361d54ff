"""Admission of a request: a limit on requests in flight, authentication, scopes and rate limits (SERVE-1, SERVE-3)."""

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request

from serving.access.authentication import Authenticator, ExpiredOrRevoked, require_scope
from serving.access.caller import Caller
from serving.access.rate_limiter import RateLimiter
from serving.gateway.http.exchange import exchange_of
from serving.refusal import Refused

RETRY_SECONDS = 1  # told to whom is turned away: by then every place has been given anew, or nearly


class Room:
    """So many places.

    Args:
        places: requests at a time.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._taken = 0

    @property
    def full(self) -> bool:
        """There is no place now."""
        return self._taken >= self._places

    @contextmanager
    def place(self) -> Iterator[None]:
        """One place, until the block ends.

        Raises:
            Refused: 503, there is none.
        """
        if self.full:
            raise overloaded()
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1


def overloaded() -> Refused:
    """There is no place."""
    told = f"too many are writing just now; try again in {RETRY_SECONDS} s"
    return Refused(503, "overloaded", told, {"Retry-After": str(RETRY_SECONDS)})


class Admission:
    """Lets requests in."""

    def __init__(self, access: Authenticator, limiter: RateLimiter) -> None:
        self._access, self._limiter = access, limiter

    def _authenticate(self, request: Request, scope: str) -> Caller:
        """Who asks, if they may.

        Raises:
            Refused: 401, nobody knows them; 403, they may not do this; 503, nobody can be checked.
        """
        headers, exchange = request.headers, exchange_of(request.scope)
        try:
            caller = self._access.authenticate(headers.get("authorization"), headers.get("x-api-key"))
        except ExpiredOrRevoked as refused:
            exchange.user, exchange.credential = refused.caller.user, refused.caller.credential
            raise
        exchange.user, exchange.credential = caller.user, caller.credential
        require_scope(caller, scope)
        return caller

    async def admit(self, request: Request, scope: str) -> tuple[Caller, dict[str, str]]:
        """Who asks, if they may and do not ask too often, and headers that tell what is left to them.

        Raises:
            Refused: 401, 403, 503 (nobody can be checked), or 429 with Retry-After.
        """
        ip = exchange_of(request.scope).ip
        try:
            caller = self._authenticate(request, scope)
        except Refused:
            await self._limiter.hit(None, ip)  # who tries keys, or asks for what is not theirs, is counted, too
            raise
        allowance = await self._limiter.hit(caller, ip)
        return caller, allowance.headers()

    @property
    def troubles(self) -> list[str]:
        """What is not as it should be though requests are let in."""
        return [trouble for trouble in (self._access.degraded, self._limiter.degraded) if trouble]
