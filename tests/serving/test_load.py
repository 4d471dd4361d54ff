"""The load generator, against a server of a few lines."""

import asyncio
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from tests.serving.gateway.running import listening
from tests.serving.load import NOT_SENT, Outcome, Target, closed_loop, open_loop, percentile, summary


@dataclass
class Server:
    """Answers by the number in the body.

    Attributes:
        together: requests that must be there before any of them is answered.
        answers: number → status and headers, where not 200.
    """

    together: int = 1
    answers: dict[int, tuple[int, dict[str, str]]] = field(default_factory=dict)
    body: bytes = b'{"metadata": {"tokens_generated": 7}}'
    numbers: list[int] = field(default_factory=list)
    keys: set[bytes] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    open: int = 0
    most: int = 0
    address: str = ""
    enough: asyncio.Event | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        number = json.loads(message["body"])["seed"]
        self.enough = self.enough or asyncio.Event()
        self.numbers.append(number)
        self.keys |= {value for name, value in scope["headers"] if name == b"x-api-key"}
        self.paths.add(scope["path"])
        self.open += 1
        self.most = max(self.most, self.open)
        if len(self.numbers) >= self.together:
            self.enough.set()
        await self.enough.wait()
        self.open -= 1
        status, headers = self.answers.get(number, (200, {}))
        await send({"type": "http.response.start", "status": status, "headers": [(k.encode(), v.encode()) for k, v in headers.items()]})
        await send({"type": "http.response.body", "body": self.body})


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()
    with listening(state, lifespan="off") as address:
        state.address = address
        yield state


def target(server: Server, **more: Any) -> Target:
    return Target(server.address, lambda number: {"seed": number}, headers={"X-API-Key": "k"}, **more)


def test_an_open_loop_does_not_wait_for_answers_and_counts_from_when_each_was_due(server: Server) -> None:
    server.together = 10  # a closed loop would wait for ever
    found = asyncio.run(open_loop(target(server), rate=50, seconds=0.2))
    assert [one.start for one in found] == [number / 50 for number in range(10)]
    assert {(one.status, one.tokens, one.fault) for one in found} == {(200, 7, "")}
    assert sorted(server.numbers) == list(range(10)) and server.keys == {b"k"} and server.paths == {"/v1/generate"}
    assert all(one.start + one.seconds >= 9 / 50 for one in found)  # nothing was answered before the last was due


def test_an_open_loop_says_what_it_could_not_send(server: Server) -> None:
    server.together = 3
    waiting = asyncio.run(open_loop(target(server, timeout=2.0), rate=100, seconds=0.08, at_once=2))
    assert {one.fault for one in waiting[:2]} == {"TimeoutError"} and len(server.numbers) <= 2
    assert {one.fault for one in waiting[2:]} == {NOT_SENT} and {one.status for one in waiting} == {0}


def test_a_closed_loop_has_so_many_open_and_never_more(server: Server) -> None:
    server.together = 4
    found = asyncio.run(closed_loop(target(server), clients=4, count=40))
    assert server.most == 4 and sorted(server.numbers) == list(range(40)) and len(found) == 40
    assert all(one.seconds > 0 for one in found) and [one.start for one in found] == sorted(one.start for one in found)


def test_a_closed_loop_begins_nothing_after_its_time(server: Server) -> None:
    found = asyncio.run(closed_loop(target(server), clients=2, count=200_000, seconds=0.3))
    assert 0 < len(found) < 200_000 and all(one.start < 0.3 for one in found)


def test_refusals_are_kept_with_when_to_come_again(server: Server) -> None:
    server.answers = {
        1: (429, {"Retry-After": "3"}),
        2: (503, {}),
        3: (503, {"Retry-After": "soon"}),
        4: (422, {}),
        5: (307, {"Location": "/elsewhere"}),
    }
    found = asyncio.run(closed_loop(target(server), clients=1, count=6))
    assert [(one.status, one.retry_after) for one in found] == [(200, None), (429, 3.0), (503, None), (503, None), (422, None), (307, None)]
    told = summary(found)
    assert told.statuses == {"200": 1, "429": 1, "503": 2, "422": 1, "307": 1} and told.shed_untold == 2
    assert sorted(server.numbers) == list(range(6))  # the redirect was not followed


@pytest.mark.parametrize("body", [b"no JSON", b"{}", b"[]", b'{"metadata": {"tokens_generated": null}}'])
def test_an_answer_that_cannot_be_read_is_no_success(server: Server, body: bytes) -> None:
    server.body = body
    assert summary(asyncio.run(closed_loop(target(server), clients=1, count=1))).statuses == {"Unreadable": 1}


def test_a_server_that_is_gone_is_a_fault(server: Server) -> None:
    gone = Target("http://127.0.0.1:9", lambda number: {})
    assert [(one.status, one.fault) for one in asyncio.run(closed_loop(gone, clients=1, count=2))] == [(0, "ClientConnectorError")] * 2


def test_a_proxy_of_the_environment_is_not_asked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert summary(asyncio.run(closed_loop(target(server), clients=1, count=1))).statuses == {"200": 1}


@pytest.mark.parametrize(
    "address", ["http://localhost:80", "http://192.0.2.1", "http://127.0.0.1.example", "http://127.0.0.1@h.example", "http://a@127.0.0.1", "ftp://127.0.0.1", "127.0.0.1", "http://127.0.0.2", "http://127.0.0.1@h.example:80"]
)  # fmt: skip
def test_no_other_host_is_asked(address: str) -> None:
    with pytest.raises(ValueError, match=r"127\.0\.0\.1 only"):
        Target(address, lambda number: {})


def test_a_path_does_not_lead_to_another_host() -> None:
    with pytest.raises(ValueError, match=r"127\.0\.0\.1 only"):
        Target("http://127.0.0.1", lambda number: {}, path="@h.example/")


@pytest.mark.parametrize(
    ("bounds", "message"),
    [({"rate": 1e6, "seconds": 60}, "requests"), ({"rate": 1, "seconds": 1e4}, "seconds"), ({"rate": 1, "seconds": 1, "at_once": 5_000}, "at once"), ({"rate": 0, "seconds": 1}, "requests")],
)  # fmt: skip
def test_a_load_is_bounded(server: Server, bounds: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        asyncio.run(open_loop(target(server), **bounds))
    with pytest.raises(ValueError, match="at once"):
        asyncio.run(closed_loop(target(server), clients=0, count=1))
    assert server.numbers == []


def test_the_figures_of_a_load() -> None:
    found = [Outcome(number / 10, 200, (number + 1) / 100, tokens=5) for number in range(100)] + [Outcome(10.0, 429, 10.0, retry_after=1)]
    told = summary(found)
    assert (told.requests, told.seconds, told.shed_untold) == (101, 20.0, 0)
    assert (told.served_per_second, told.tokens_per_second) == (5.0, 25.0)
    assert (told.p50, told.p95, told.p99, told.slowest) == (0.5, 0.95, 0.99, 1.0)


def test_of_nothing_there_are_no_figures() -> None:
    told = summary([])
    assert (told.requests, told.served_per_second, told.seconds) == (0, 0.0, 0.0) and math.isnan(told.p95)


@given(st.lists(st.floats(0, 1e3), min_size=1, max_size=300).map(sorted), st.integers(1, 100))
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(values: list[float], percent: int) -> None:
    found = percentile(values, percent)
    assert 100 * sum(value <= found for value in values) >= percent * len(values)
    assert 100 * sum(value < found for value in values) < percent * len(values)
