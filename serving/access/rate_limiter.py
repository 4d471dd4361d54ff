"""How often: a moving window of a minute, for a user and for an address (SERVE-3).

The window is exact, not a counter that is reset on the minute: two bursts across a minute's edge would let twice the figure through.
Where Redis is gone each replica counts alone, at the same figure, and says so: readers are served, and n replicas let through up to
n times the figure until it is back.
"""

import hashlib
import ipaddress
import math
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError

from robo_poet.errors import BadInput
from robo_poet.settings.access import AccessSettings
from serving.access.identity import Caller
from serving.access.local_window import LocalWindow
from serving.refusal import Refused

EXEMPT = "internal-load"
REDIS_SECONDS = 0.25  # a request does not wait longer for a count


@dataclass(frozen=True)
class Allowance:
    """What is left.

    Attributes:
        limit: requests in a minute.
        remaining: now.
        reset_seconds: until the oldest request of the window no longer counts.
    """

    limit: int
    remaining: int
    reset_seconds: int

    def headers(self) -> dict[str, str]:
        """`RateLimit-…`, as the IETF's draft on rate limit headers named them in its sixth version."""
        return {
            "RateLimit-Limit": str(self.limit), "RateLimit-Remaining": str(self.remaining), "RateLimit-Reset": str(self.reset_seconds),
        }  # fmt: skip


Count = Callable[[MovingWindowRateLimiter, RateLimitItem, str, str], Awaitable[tuple[bool, Allowance]]]


class RateLimiter:
    """Counts requests.

    Args:
        say: takes lines for the operator, never with an address or a word of Redis' in them.

    Raises:
        BadInput: the variable holds no address of Redis.
    """

    def __init__(self, settings: AccessSettings, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._say, self._clock = settings, say, clock
        self._user = RateLimitItemPerMinute(settings.requests_per_minute)
        self._ip = RateLimitItemPerMinute(settings.ip_requests_per_minute)
        self._local = MovingWindowRateLimiter(LocalWindow())
        self._shared = _redis(os.environ.get(settings.redis_variable, ""), settings.redis_variable)
        self._retry_at = 0.0
        self.degraded = ""

    async def hit(self, caller: Caller | None, ip: str) -> Allowance:
        """Count a request of a user from an address; the answer is about whichever of the two has less left.

        Args:
            caller: None where nobody was proven: who tries keys uses up the address.

        Raises:
            Refused: 429, with `Retry-After`.
        """
        if caller is not None and EXEMPT in caller.scopes:
            return Allowance(self._user.amount, self._user.amount, 0)
        limits = [(self._ip, "ip", network(ip))]
        if caller is not None:  # a digest: Redis need not know who reads
            limits.insert(0, (self._user, "user", hashlib.sha256(caller.user.encode()).hexdigest()[:32]))
        for count in (_look, _hit):  # both have a place, or neither loses one: a user who is refused takes none from others at the address
            allowances = []
            for limit, kind, name in limits:
                allowed, allowance = await self._count(count, limit, kind, name)
                if not allowed:
                    told = "this address" if kind == "ip" else "you"
                    message = f"more than {limit.amount} requests a minute by {told}; try again in {allowance.reset_seconds} s"
                    raise Refused(429, "rate_limited", message, {**allowance.headers(), "Retry-After": str(allowance.reset_seconds)})
                allowances.append(allowance)
        return min(allowances, key=lambda allowance: allowance.remaining)

    async def close(self) -> None:
        """Give the connections to Redis back."""
        if self._shared is not None:
            await self._shared.storage.bridge.get_connection().aclose()  # type: ignore[attr-defined]  # of RedisStorage; limits has no close

    async def _count(self, count: Count, limit: RateLimitItem, kind: str, name: str) -> tuple[bool, Allowance]:
        if self._shared is not None and self._clock() >= self._retry_at:
            if self.degraded:  # one request tries it; the others, who come meanwhile, do not wait
                self._retry_at = self._clock() + self._settings.redis_retry_seconds
            try:
                counted = await count(self._shared, limit, kind, name)
            except StorageError:
                self._retry_at = self._clock() + self._settings.redis_retry_seconds
                if not self.degraded:
                    self._say("Redis does not answer: this replica counts requests alone")
                self.degraded = "rate limits are counted by each replica alone: Redis does not answer"
            else:
                if self.degraded:
                    self._say("Redis answers again: replicas count together")
                self.degraded, self._retry_at = "", 0.0
                return counted
        return await count(self._local, limit, kind, name)


def network(ip: str) -> str:
    """What an address counts as: of IPv6 its /64, which one household or host has whole."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


async def _look(limiter: MovingWindowRateLimiter, limit: RateLimitItem, kind: str, name: str) -> tuple[bool, Allowance]:
    stats = await limiter.get_window_stats(limit, kind, name)
    return stats.remaining > 0, Allowance(limit.amount, max(0, stats.remaining), max(1, math.ceil(stats.reset_time - time.time())))


async def _hit(limiter: MovingWindowRateLimiter, limit: RateLimitItem, kind: str, name: str) -> tuple[bool, Allowance]:
    allowed = await limiter.hit(limit, kind, name)
    stats = await limiter.get_window_stats(limit, kind, name)
    left = max(1, math.ceil(stats.reset_time - time.time()))
    return allowed, Allowance(limit.amount, max(0, stats.remaining), left)


def _redis(address: str, variable: str) -> MovingWindowRateLimiter | None:
    if not address:
        return None
    if not address.startswith(("redis://", "rediss://")):
        raise BadInput("it holds no redis:// address", where=variable)
    try:
        storage = RedisStorage(
            f"async+{address}", wrap_exceptions=True, implementation="redispy", key_prefix="robo-poet",
            socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS,
        )  # fmt: skip
    except Exception:  # whatever it says may hold the password
        raise BadInput("the address of Redis cannot be used", where=variable) from None
    return MovingWindowRateLimiter(storage)
