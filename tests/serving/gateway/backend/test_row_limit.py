"""Tests of the limit on rows: it holds, users take turns, and a cancelled call leaves nothing behind."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from serving.gateway.backend.row_limit import RowLimit


async def hold(limit: RowLimit, rows: int, user: str, seconds: float, ended: list[str], name: str = "") -> None:
    async with limit.held(rows, user):
        assert 0 <= limit._free <= limit._rows
        await asyncio.sleep(seconds)
    ended.append(name)


def test_calls_of_one_user_wait_in_their_order() -> None:
    async def run() -> tuple[int, list[str], int]:
        limit, ended = RowLimit(5), list[str]()
        calls = [
            asyncio.create_task(hold(limit, rows, "ada", 0.01, ended, name)) for name, rows in (("a", 4), ("b", 3), ("c", 1), ("d", 9))
        ]
        await asyncio.sleep(0.005)
        waiting = limit.waiting  # a runs; b, c and d wait, although a row is free
        await asyncio.gather(*calls)
        return waiting, ended, limit.waiting

    waiting, ended, left = asyncio.run(run())
    assert (waiting, left) == (3, 0) and ended[0] == "a" and set(ended[1:3]) == {"b", "c"} and ended[3] == "d"


def test_users_take_turns() -> None:
    """Nine calls of one user wait; a call of another user is served after the next of them."""

    async def run() -> list[str]:
        limit, ended = RowLimit(2), list[str]()
        calls = [asyncio.create_task(hold(limit, 2, "eve", 0.001, ended, "eve")) for _ in range(10)]
        await asyncio.sleep(0)
        calls.append(asyncio.create_task(hold(limit, 1, "ada", 0.001, ended, "ada")))
        await asyncio.gather(*calls)
        return ended

    assert asyncio.run(run()).index("ada") <= 2


def test_a_user_keeps_to_its_share_while_others_are_active() -> None:
    async def run() -> None:
        limit, ended, most = RowLimit(8), list[str](), list[int]()

        async def call(user: str) -> None:
            async with limit.held(2, user):
                most.append(limit._held["eve"])
                await asyncio.sleep(0.002)
            ended.append(user)

        await asyncio.gather(*(call("eve") for _ in range(8)))
        assert max(most) == 8  # alone, it has all rows
        most.clear()
        await asyncio.gather(call("ada"), *(call("eve") for _ in range(8)), call("bob"))
        assert max(most) <= 4 and ended[8:].index("bob") <= 4  # half of the rows, while ada or bob is active
        most.clear()
        limit._active["ada"] = limit._active["bob"] = -100.0  # long ago
        limit._active.move_to_end("eve")
        await asyncio.gather(*(call("eve") for _ in range(8)))
        assert max(most) == 8

    asyncio.run(run())


CALLS = st.lists(
    st.tuples(st.integers(1, 9), st.sampled_from("abc"), st.sampled_from([0.0, 0.001]), st.sampled_from([None, 0.0, 0.0005])), max_size=25
)


@given(CALLS)
def test_no_cancellation_loses_rows(calls: list[tuple[int, str, float, float | None]]) -> None:
    async def run() -> None:
        limit, ended = RowLimit(5), list[str]()
        tasks = []
        for rows, user, seconds, cancel_after in calls:
            task = asyncio.create_task(hold(limit, rows, user, seconds, ended))
            if cancel_after is not None:
                asyncio.get_running_loop().call_later(cancel_after, task.cancel)
            tasks.append(task)
        async with asyncio.timeout(10):
            await asyncio.gather(*tasks, return_exceptions=True)
        assert limit._free == 5 and limit.waiting == 0 and not limit._queues and not limit._held
        assert all(task.cancelled() or task.exception() is None for task in tasks)

    asyncio.run(run())
