"""The window in memory against its definition: of any instant, never more than the limit in the time before."""

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits import RateLimitItemPerMinute
from limits.aio.strategies import MovingWindowRateLimiter

from robo_poet.errors import BadInput
from robo_poet.settings.serve import AccessSettings
from serving.access.caller import Caller
from serving.access.rate_limiter import LocalWindow, RateLimiter, network
from serving.refusal import Refused


@given(st.integers(1, 5), st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 40)), max_size=40))
def test_a_request_passes_only_if_fewer_than_the_limit_passed_in_the_last_minute(limit: int, hits: list[tuple[str, float]]) -> None:
    async def run() -> None:
        now = [1000.0]
        window = LocalWindow(lambda: now[0])
        limiter = MovingWindowRateLimiter(window)
        passed: list[tuple[str, float]] = []
        for user, wait in hits:
            now[0] += wait
            current = [at for name, at in passed if name == user and at >= now[0] - 60]
            assert await limiter.hit(RateLimitItemPerMinute(limit), user) == (len(current) < limit)
            if len(current) < limit:
                passed.append((user, now[0]))
                current.append(now[0])
            stats = await limiter.get_window_stats(RateLimitItemPerMinute(limit), user)
            assert stats == (current[0] + 60, limit - len(current))
            assert len(window._times) <= len({name for name, at in passed if at >= now[0] - 120})  # inactive users are removed

    asyncio.run(run())


def caller(user: str, *scopes: str) -> Caller:
    return Caller(user, "id", frozenset(scopes))


def limiter(user: int = 5, ip: int = 8, **more: object) -> RateLimiter:
    return RateLimiter(
        AccessSettings.model_validate({"requests_per_minute": user, "ip_requests_per_minute": ip, **more}), lambda line: None
    )


async def through(limit: RateLimiter, who: Caller, ip: str, tries: int) -> int:
    """How many of so many requests pass."""
    passed = 0
    for _ in range(tries):
        try:
            await limit.hit(who, ip)
            passed += 1
        except Refused as refused:
            assert refused.status == 429 and refused.code == "rate_limited"
            assert refused.headers["Retry-After"] == refused.headers["RateLimit-Reset"] and 1 <= int(refused.headers["Retry-After"]) <= 60
            assert refused.headers["RateLimit-Remaining"] == "0"
    return passed


def test_all_keys_of_a_user_and_all_users_of_an_address_share_a_limit() -> None:
    async def run() -> None:
        limit = limiter()
        first = await limit.hit(Caller("ann", "key 1", frozenset()), "192.0.2.1")
        assert (first.limit, first.remaining) == (5, 4) and first.headers()["RateLimit-Limit"] == "5"
        assert await through(limit, Caller("ann", "key 2", frozenset()), "192.0.2.2", 10) == 4
        assert await through(limit, caller("bob"), "192.0.2.3", 5) == 5
        assert await through(limit, caller("cid"), "192.0.2.3", 5) == 3  # the address has had its eight
        assert await through(limit, caller("cid"), "192.0.2.4", 5) == 2  # and cid has had three

    asyncio.run(run())


def test_failed_authentication_has_its_own_window_for_each_address() -> None:
    async def run() -> None:
        limit = limiter(ip_failures_per_minute=3)
        for _ in range(3):
            await limit.failed("192.0.2.1")
        for address in ("192.0.2.1", "::ffff:192.0.2.1"):
            with pytest.raises(Refused, match="more than 3 requests per minute without a valid key from this address") as refused:
                await limit.failed(address)
            assert 1 <= int(refused.value.headers["Retry-After"]) <= 60
        assert await through(limit, caller("ann"), "192.0.2.1", 9) == 5  # a good key is not affected
        await limit.failed("192.0.2.2")

    asyncio.run(run())


def test_a_wall_clock_that_steps_back_refuses_nobody_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        now = [1000.0]
        limit = RateLimiter(AccessSettings(requests_per_minute=2), lambda line: None, lambda: now[0])
        assert await through(limit, caller("ann"), "192.0.2.1", 3) == 2
        monkeypatch.setattr(time, "time", lambda: 1.0)
        with pytest.raises(Refused) as refused:
            await limit.hit(caller("ann"), "192.0.2.1")
        assert int(refused.value.headers["Retry-After"]) == 60
        now[0] += 60.1
        assert await through(limit, caller("ann"), "192.0.2.1", 3) == 2

    asyncio.run(run())


def test_the_number_of_windows_is_bounded() -> None:
    async def run() -> None:
        window = LocalWindow(lambda: 1.0, max_keys=100)
        for number in range(1000):
            assert await window.acquire_entry(f"key {number}", 1, 60)
        assert len(window._times) == 100
        assert not await window.acquire_entry("key 999", 1, 60) and await window.acquire_entry("key 1", 1, 60)  # the oldest are evicted

    asyncio.run(run())


def test_redis_gets_no_window_of_failed_authentication(redis: "Redis") -> None:
    async def run() -> None:
        limit = limiter()
        await limit.failed("192.0.2.1")
        await limit.hit(caller("ann"), "192.0.2.1")
        keys = [key.decode() for key in await limit._shared.limiter.storage.bridge.get_connection().keys("*")]  # type: ignore[union-attr, attr-defined]
        assert len(keys) == 2 and not any("failed" in key for key in keys)
        await limit.close()

    asyncio.run(run())


def test_internal_load_is_not_counted() -> None:
    assert asyncio.run(through(limiter(), caller("load", "internal-load"), "127.0.0.1", 50)) == 50


def test_an_ipv6_address_is_counted_by_its_network() -> None:
    assert network("2001:db8:1:2:3::4") == network("2001:db8:1:2::") != network("2001:db8:1:3::")
    assert network("::ffff:192.0.2.1") == "192.0.2.1" and network("x") == "unknown"


class Redis:
    """A server of our own on a free port."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._folder = folder
        self.begin()

    def begin(self) -> None:
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder), "--requirepass", "hunter2"],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        end = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert time.monotonic() < end
                time.sleep(0.05)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def redis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed; infra/test-packages.sh installs it")
    server = Redis(tmp_path)
    monkeypatch.setenv("ROBO_POET_REDIS_URL", f"redis://:hunter2@127.0.0.1:{server.port}/0")
    yield server
    server.end()


def test_replicas_share_a_count_and_count_separately_while_redis_is_down(redis: Redis) -> None:
    async def run() -> None:
        now, said = [0.0], []
        settings = AccessSettings(requests_per_minute=5, ip_requests_per_minute=50)
        one, other = (RateLimiter(settings, said.append, lambda: now[0]) for _ in range(2))
        assert await through(one, caller("ann"), "192.0.2.1", 3) == 3
        assert await through(other, caller("ann"), "192.0.2.1", 5) == 2
        redis.end()
        assert await through(one, caller("ann"), "192.0.2.1", 7) == 5  # from zero, with the same limit
        assert "each replica counts rate limits separately" in one.degraded and other.degraded == ""
        assert await through(other, caller("ann"), "192.0.2.1", 7) == 5
        assert said == ["Redis does not respond; this replica counts requests in its own memory"] * 2
        redis.begin()
        assert await through(one, caller("bob"), "192.0.2.1", 1) == 1 and one.degraded  # Redis is not tried at each request
        now[0] += 3
        assert await through(one, caller("bob"), "192.0.2.1", 3) == 3 and one.degraded == ""
        assert await through(other, caller("bob"), "192.0.2.1", 5) == 2
        assert said[2:] == ["Redis responds again; the replicas share their counts"] * 2
        assert "hunter2" not in "".join(said)
        for replica in (one, other):
            await replica.close()

    asyncio.run(run())


def test_an_invalid_redis_url_is_refused_without_showing_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBO_POET_REDIS_URL", "http://:hunter2@redis.example")
    with pytest.raises(BadInput, match="ROBO_POET_REDIS_URL: not a Redis URL") as refused:
        limiter()
    assert "hunter2" not in str(refused.value)
