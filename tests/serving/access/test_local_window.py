"""The window in memory against its definition: of any instant, never more than the limit in the time before."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from limits import RateLimitItemPerMinute
from limits.aio.strategies import MovingWindowRateLimiter

from serving.access.local_window import LocalWindow


@given(st.integers(1, 5), st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 40)), max_size=40))
def test_a_request_passes_if_and_only_if_fewer_than_the_limit_passed_in_the_minute_before(
    limit: int, hits: list[tuple[str, float]]
) -> None:
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
            assert len(window._times) <= len({name for name, at in passed if at >= now[0] - 120})  # who stays away is forgotten

    asyncio.run(run())
