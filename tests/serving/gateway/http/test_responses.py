import asyncio
import json
from typing import Any

import pytest

from serving.gateway.http.responses import ClientDisconnected, event, unless_disconnected


async def never() -> dict[str, Any]:
    await asyncio.Event().wait()
    raise AssertionError


async def gone() -> dict[str, Any]:
    return {"type": "http.disconnect"}


def test_the_result_of_the_work_is_returned() -> None:
    async def work() -> int:
        return 5

    assert asyncio.run(unless_disconnected(never, work())) == 5


def test_an_exception_of_the_work_is_raised() -> None:
    async def work() -> int:
        raise KeyError("x")

    with pytest.raises(KeyError):
        asyncio.run(unless_disconnected(never, work()))


def test_a_disconnect_cancels_the_work() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    with pytest.raises(ClientDisconnected):
        asyncio.run(unless_disconnected(gone, work()))
    assert ended == ["ended"]


def test_cancelling_the_waiting_task_cancels_the_work() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    async def waited() -> None:
        task = asyncio.create_task(unless_disconnected(never, work()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(waited())
    assert ended == ["ended"]


@pytest.mark.parametrize("character", ["\n", "\r", "\x85", "\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x1e"])
def test_an_event_has_one_data_line_by_any_rule(character: str) -> None:
    """Clients that split lines by Unicode's rules once saw a broken event."""
    lines = event("text", {"text": f"a{character}b"}).decode().splitlines()
    assert len(lines) == 3 and json.loads(lines[1].removeprefix("data: ")) == {"text": f"a{character}b"}
