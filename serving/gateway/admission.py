"""Who may come in: known, allowed, within their rate, and while there is room (SERVE-3)."""

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request

from serving.access.access import Access, require
from serving.access.identity import Caller
from serving.access.rate_limiter import RateLimiter
from serving.gateway.exchange import exchange_of
from serving.refusal import Refused


class Admission:
    """Lets requests in.

    Args:
        room: requests at a time; more are refused at once, which is better than all of them slow.
    """

    def __init__(self, access: Access, limiter: RateLimiter, room: int) -> None:
        self._access, self._limiter, self._room = access, limiter, room
        self._inside = 0

    def authenticate(self, request: Request, scope: str) -> Caller:
        """Who asks, if they may.

        Raises:
            Refused: 401, nobody knows them; 403, they may not do this.
        """
        headers, exchange = request.headers, exchange_of(request.scope)
        caller = self._access.authenticate(headers.get("authorization"), headers.get("x-api-key"))
        exchange.user, exchange.credential = caller.user, caller.credential
        require(caller, scope)
        return caller

    async def admit(self, request: Request, scope: str) -> tuple[Caller, dict[str, str]]:
        """Who asks, if they may and do not ask too often, and headers that tell what is left to them.

        Raises:
            Refused: 401, 403, or 429 with Retry-After.
        """
        ip = exchange_of(request.scope).ip
        try:
            caller = self.authenticate(request, scope)
        except Refused as refused:
            if refused.status == 401:
                await self._limiter.hit(None, ip)  # who tries keys is counted, too
            raise
        allowance = await self._limiter.hit(caller, ip)
        return caller, allowance.headers()

    @property
    def troubles(self) -> list[str]:
        """What is not as it should be though requests are let in."""
        return [trouble for trouble in (self._access.degraded, self._limiter.degraded) if trouble]

    @contextmanager
    def room(self) -> Iterator[None]:
        """A place among those that are answered now.

        Raises:
            Refused: 503, there is none.
        """
        if self._inside >= self._room:
            raise Refused(503, "overloaded", "too many are writing just now; try again in 1 s", {"Retry-After": "1"})
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
