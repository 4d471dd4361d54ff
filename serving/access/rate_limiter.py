"""Rate limits over a moving window of one minute, for each user and each address (SERVE-3).

- The window is exact. A counter that is reset every minute would accept twice the limit in two bursts around the reset.
- Requests that fail authentication have a separate window for each address. So they cannot use up the limit of the good keys of this
  address. This window is never in Redis: addresses that have no key must not fill it.
- If Redis fails, each replica counts separately with the same limit and reports the fault. Requests are still served, but n replicas
  accept up to n times the limit until Redis is available again.
- `LocalWindow` replaces the MemoryStorage of `limits`. That class removes old entries of every key after every hit, with a thread
  switch for each key. With 10,000 users in a minute this took 98 % of a core at 100 requests/s. Here a hit changes only the entries of
  its key and removes two expired keys. Its clock is monotonic: if the wall clock steps back, nobody waits longer.
"""

import bisect
import hashlib
import ipaddress
import math
import os
import time
from array import array
from collections import OrderedDict
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

MAX_KEYS = 100_000  # windows in memory: 30 MB with one request each, 120 MB with a hundred


class LocalWindow(Storage, MovingWindowSupport):
    """A store of request times by key, oldest first. No method awaits, so each call is atomic in the event loop.

    Args:
        clock: returns monotonic time in seconds.
        max_keys: largest number of keys. A further key evicts the key whose last request is the oldest.
    """

    STORAGE_SCHEME = None

    def __init__(self, clock: Callable[[], float] = time.monotonic, max_keys: int = MAX_KEYS) -> None:
        super().__init__(None, wrap_exceptions=False)
        self._clock, self._max_keys = clock, max_keys
        # The key of the oldest last request first. A plain dict would scan its removed keys to find the first one.
        self._times: OrderedDict[str, array[float]] = OrderedDict()

    @property
    def base_exceptions(self) -> type[Exception]:
        """Required by `limits`. This storage raises no special errors."""
        return ValueError

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` requests if all of them fit into the limit. Otherwise count none and return False."""
        now = self._clock()
        self._remove_expired(now - expiry)
        times = self._current(key, now - expiry)
        if len(times) + amount > limit:
            return False
        times.extend([now] * amount)
        self._times[key] = times
        self._times.move_to_end(key)
        if len(self._times) > self._max_keys:
            self._times.popitem(last=False)
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return the time of the oldest request in the window and the number of requests in it."""
        now = self._clock()
        times = self._current(key, now - expiry)
        return (times[0], len(times)) if times else (now, 0)

    def _current(self, key: str, oldest: float) -> "array[float]":
        times = self._times.get(key, array("d"))
        del times[: bisect.bisect_left(times, oldest)]
        return times

    def _remove_expired(self, oldest: float) -> None:
        """Remove up to two expired keys. A request adds at most one, so no request has to clean up after all others."""
        for _ in range(2):
            key = next(iter(self._times), None)
            if key is None or (self._times[key] and self._times[key][-1] >= oldest):
                return
            del self._times[key]

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


@dataclass(frozen=True)
class _Windows:
    """Windows of one storage, and the clock of its times."""

    limiter: MovingWindowRateLimiter
    clock: Callable[[], float]

    def seconds_until(self, reset_time: float, window_seconds: int) -> int:
        """Return the whole seconds until `reset_time`: at least 1, and never more than the window, also if a clock was set."""
        return min(window_seconds, max(1, math.ceil(reset_time - self.clock())))


Count = Callable[[_Windows, RateLimitItem, str, str], Awaitable[tuple[bool, Allowance]]]


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
        self._failed = RateLimitItemPerMinute(settings.ip_failures_per_minute)
        self._local = _Windows(MovingWindowRateLimiter(LocalWindow(clock)), clock)
        self._failures = _Windows(MovingWindowRateLimiter(LocalWindow(clock)), clock)
        self._shared = _redis(os.environ.get(settings.redis_variable, ""), settings.redis_variable)
        self._retry_at = 0.0
        self.degraded = ""

    async def failed(self, ip: str) -> None:
        """Count a request whose credentials are missing, wrong or without the scope.

        Call it only after the credentials were checked: a good key is never refused because of bad keys from its address.

        Args:
            ip: the client's address.

        Raises:
            Refused: 429 with `Retry-After`, if the address had too many such requests.
        """
        allowed, allowance = await _hit(self._failures, self._failed, "failed", network(ip))
        if not allowed:
            raise _too_many("requests per minute without a valid key from this address", allowance)

    async def hit(self, caller: Caller, ip: str) -> Allowance:
        """Count one request and return the allowance of the user or of the address, the one with less left.

        Args:
            ip: the client's address.

        Raises:
            Refused: 429, with `Retry-After`.
        """
        if EXEMPT_SCOPE in caller.scopes:
            return Allowance(self._user.amount, self._user.amount, 0)
        user_digest = hashlib.sha256(caller.user.encode("utf-8", "surrogatepass")).hexdigest()[:32]  # Redis does not get the user's name
        limits = ((self._user, "user", user_digest), (self._ip, "ip", network(ip)))
        for count in (_peek, _hit):  # check both limits before counting: a refused user must not use up the quota of the address
            allowances = []
            for limit, kind, name in limits:
                allowed, allowance = await self._count(count, limit, kind, name)
                if not allowed:
                    raise _too_many(f"requests per minute from this {'address' if kind == 'ip' else 'user'}", allowance)
                allowances.append(allowance)
        return min(allowances, key=lambda allowance: allowance.remaining)

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._shared is not None:
            await self._shared.limiter.storage.bridge.get_connection().aclose()  # type: ignore[attr-defined]  # of RedisStorage; limits has no close

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


async def _peek(windows: _Windows, limit: RateLimitItem, kind: str, name: str) -> tuple[bool, Allowance]:
    stats = await windows.limiter.get_window_stats(limit, kind, name)
    reset_seconds = windows.seconds_until(stats.reset_time, limit.get_expiry())
    return stats.remaining > 0, Allowance(limit.amount, max(0, stats.remaining), reset_seconds)


async def _hit(windows: _Windows, limit: RateLimitItem, kind: str, name: str) -> tuple[bool, Allowance]:
    allowed = await windows.limiter.hit(limit, kind, name)
    _, allowance = await _peek(windows, limit, kind, name)
    return allowed, allowance


def _too_many(requests: str, allowance: Allowance) -> Refused:
    message = f"more than {allowance.limit} {requests}; try again in {allowance.reset_seconds} s"
    return Refused(429, "rate_limited", message, {**allowance.headers(), "Retry-After": str(allowance.reset_seconds)})


def _redis(address: str, variable: str) -> _Windows | None:
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
    return _Windows(MovingWindowRateLimiter(storage), time.time)  # its entries have the wall-clock time, so that replicas can share them
