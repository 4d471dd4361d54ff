"""Rate limits over a moving window of one minute, for each user and each address (SERVE-3).

- The window is exact. A counter that is reset every minute would accept twice the limit in two bursts around the reset.
- If Redis fails, each replica counts separately with the same limit and reports the fault. Requests are still served, but n replicas
  accept up to n times the limit until Redis is available again.
- `LocalWindow` replaces the MemoryStorage of `limits`. That class removes old entries of every key after every hit, with a thread
  switch for each key. With 10,000 users in a minute this took 98 % of a core at 100 requests/s. Here a hit changes only the entries of
  its key, and all keys are cleaned once per window.
"""

import bisect
import hashlib
import ipaddress
import math
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MovingWindowSupport, RedisStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError

from robo_poet.errors import BadInput
from robo_poet.settings.serve import AccessSettings
from serving.access.caller import Caller
from serving.refusal import Refused


class LocalWindow(Storage, MovingWindowSupport):
    """A store of request times by key, oldest first. No method awaits, so each call is atomic in the event loop."""

    STORAGE_SCHEME = None

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        super().__init__(None, wrap_exceptions=False)
        self._clock, self._sweep_at = clock, 0.0
        self._times: dict[str, list[float]] = {}

    @property
    def base_exceptions(self) -> type[Exception]:
        """Required by `limits`. This storage raises no special errors."""
        return ValueError

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` requests if all of them fit into the limit. Otherwise count none and return False."""
        now = self._clock()
        if now >= self._sweep_at:
            self._sweep(now - expiry)
            self._sweep_at = now + expiry
        times = self._current(key, now - expiry)
        if len(times) + amount > limit:
            return False
        times.extend([now] * amount)
        self._times[key] = times
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return the time of the oldest request in the window and the number of requests in it."""
        now = self._clock()
        times = self._current(key, now - expiry)
        return (times[0], len(times)) if times else (now, 0)

    def _current(self, key: str, oldest: float) -> list[float]:
        times = self._times.get(key, [])
        del times[: bisect.bisect_left(times, oldest)]
        return times

    def _sweep(self, oldest: float) -> None:
        self._times = {key: times for key, times in self._times.items() if times[-1:] and times[-1] >= oldest}

    async def check(self) -> bool:
        """Return True: the storage is always available."""
        return True

    async def reset(self) -> int:
        """Remove all keys and return how many there were."""
        count = len(self._times)
        self._times.clear()
        return count

    async def clear(self, key: str) -> None:
        """Remove one key."""
        self._times.pop(key, None)

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Not supported: a moving window has no counter."""
        raise NotImplementedError

    async def get(self, key: str) -> int:
        """Not supported: a moving window has no counter."""
        raise NotImplementedError

    async def get_expiry(self, key: str) -> float:
        """Not supported: a moving window has no counter."""
        raise NotImplementedError


EXEMPT_SCOPE = "internal-load"
REDIS_TIMEOUT_SECONDS = 0.25  # socket timeout: a request does not wait longer for a count


@dataclass(frozen=True)
class Allowance:
    """The remaining quota of a user or an address.

    Attributes:
        limit: requests per minute.
        remaining: requests that are still allowed now.
        reset_seconds: seconds until the oldest request leaves the window.
    """

    limit: int
    remaining: int
    reset_seconds: int

    def headers(self) -> dict[str, str]:
        """Return the `RateLimit-…` headers, as named in version 6 of the IETF draft on rate limit headers."""
        return {
            "RateLimit-Limit": str(self.limit), "RateLimit-Remaining": str(self.remaining), "RateLimit-Reset": str(self.reset_seconds),
        }  # fmt: skip


Count = Callable[[MovingWindowRateLimiter, RateLimitItem, str, str], Awaitable[tuple[bool, Allowance]]]


class RateLimiter:
    """A rate limiter that counts requests in Redis, or in memory if Redis is not configured or fails.

    Args:
        say: called with each message for the operator. Messages contain no address and no error text of Redis.
        clock: returns monotonic time in seconds.

    Raises:
        BadInput: the environment variable does not contain a Redis URL.
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
        """Count one request and return the allowance of the user or of the address, the one with less left.

        Args:
            caller: None if authentication failed. The request then counts for the address, which limits guessing of keys.
            ip: the client's address.

        Raises:
            Refused: 429, with `Retry-After`.
        """
        if caller is not None and EXEMPT_SCOPE in caller.scopes:
            return Allowance(self._user.amount, self._user.amount, 0)
        limits = [(self._ip, "ip", network(ip))]
        if caller is not None:  # a digest: Redis does not get the user's name
            limits.insert(0, (self._user, "user", hashlib.sha256(caller.user.encode()).hexdigest()[:32]))
        for count in (_peek, _hit):  # check both limits before counting: a refused user must not use up the quota of the address
            allowances = []
            for limit, kind, name in limits:
                allowed, allowance = await self._count(count, limit, kind, name)
                if not allowed:
                    subject = "address" if kind == "ip" else "user"
                    message = f"more than {limit.amount} requests per minute from this {subject}; try again in {allowance.reset_seconds} s"
                    raise Refused(429, "rate_limited", message, {**allowance.headers(), "Retry-After": str(allowance.reset_seconds)})
                allowances.append(allowance)
        return min(allowances, key=lambda allowance: allowance.remaining)

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._shared is not None:
            await self._shared.storage.bridge.get_connection().aclose()  # type: ignore[attr-defined]  # of RedisStorage; limits has no close

    async def _count(self, count: Count, limit: RateLimitItem, kind: str, name: str) -> tuple[bool, Allowance]:
        if self._shared is not None and self._clock() >= self._retry_at:
            if self.degraded:  # one request probes Redis; concurrent requests do not wait for it
                self._retry_at = self._clock() + self._settings.redis_retry_seconds
            try:
                counted = await count(self._shared, limit, kind, name)
            except StorageError:
                self._retry_at = self._clock() + self._settings.redis_retry_seconds
                if not self.degraded:
                    self._say("Redis does not respond; this replica counts requests in its own memory")
                self.degraded = "Redis does not respond; each replica counts rate limits separately"
            else:
                if self.degraded:
                    self._say("Redis responds again; the replicas share their counts")
                self.degraded, self._retry_at = "", 0.0
                return counted
        return await count(self._local, limit, kind, name)


def network(ip: str) -> str:
    """Return the network under which an address is counted: the IPv4 address, or the IPv6 /64, which belongs to one household or host."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


async def _peek(limiter: MovingWindowRateLimiter, limit: RateLimitItem, kind: str, name: str) -> tuple[bool, Allowance]:
    stats = await limiter.get_window_stats(limit, kind, name)
    return stats.remaining > 0, Allowance(limit.amount, max(0, stats.remaining), max(1, math.ceil(stats.reset_time - time.time())))


async def _hit(limiter: MovingWindowRateLimiter, limit: RateLimitItem, kind: str, name: str) -> tuple[bool, Allowance]:
    allowed = await limiter.hit(limit, kind, name)
    stats = await limiter.get_window_stats(limit, kind, name)
    reset_seconds = max(1, math.ceil(stats.reset_time - time.time()))
    return allowed, Allowance(limit.amount, max(0, stats.remaining), reset_seconds)


def _redis(address: str, variable: str) -> MovingWindowRateLimiter | None:
    if not address:
        return None
    if not address.startswith(("redis://", "rediss://")):
        raise BadInput("not a Redis URL", where=variable, remedy="set it to a URL that starts with redis:// or rediss://")
    try:
        storage = RedisStorage(
            f"async+{address}", wrap_exceptions=True, implementation="redispy", key_prefix="robo-poet",
            socket_timeout=REDIS_TIMEOUT_SECONDS, socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        )  # fmt: skip
    except Exception:  # its message may contain the password
        raise BadInput("the Redis URL is not valid", where=variable, remedy="set it to redis://host:port/database") from None
    return MovingWindowRateLimiter(storage)
