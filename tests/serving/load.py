"""Traffic against this machine, and what became of it: an open loop and a closed one, bounded in number and in time.

Open: requests come at a fixed rate whether or not the earlier ones were answered, as readers do; a request's seconds count from when it
was due, so that a server which stalls does not look quick by slowing its own load down (coordinated omission; G. Tene, "How NOT to
measure latency", 2013). Closed: so many clients, each asking again as soon as it is answered, which finds the highest throughput.
"""

import asyncio
import collections
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp

MOST_REQUESTS, MOST_SECONDS, MOST_AT_ONCE = 200_000, 900.0, 2_000
NOT_SENT = "NotSent"  # more were due than may be open at once


def tokens_of(answer: Any) -> int:
    """Tokens that a completion says it wrote."""
    return int(answer["metadata"]["tokens_generated"])


@dataclass(frozen=True)
class Target:
    """What is asked, of 127.0.0.1 alone.

    Attributes:
        address: `http://127.0.0.1:port`.
        body: number of a request → its JSON.
        tokens: read from the JSON of an answer of status 200.
        timeout: seconds that one request may take.

    Raises:
        ValueError: another host.
    """

    address: str
    body: Callable[[int], Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str = "/v1/generate"
    tokens: Callable[[Any], int] = tokens_of
    timeout: float = 60.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.address + self.path)
        if parts.scheme not in ("http", "https") or parts.hostname != "127.0.0.1" or parts.username is not None:
            raise ValueError(f"{self.address}{self.path}: traffic goes to 127.0.0.1 only")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One request.

    Attributes:
        start: when it was due, in seconds from the beginning of the load.
        status: HTTP's, 0 where no answer came.
        seconds: from then to the end of the answer.
        retry_after: seconds that the answer asks to wait; None where it does not.
        fault: why no answer came, such as `TimeoutError`.
    """

    start: float
    status: int
    seconds: float
    tokens: int = 0
    retry_after: float | None = None
    fault: str = ""


@dataclass(frozen=True)
class Summary:
    """What became of a load.

    Attributes:
        statuses: status, or fault where there is none → how many.
        shed_untold: 429 and 503 without `Retry-After`.
        p50: seconds, as p95, p99 and slowest: of the answers of status 200 alone; NaN where there are none.
    """

    requests: int
    statuses: Mapping[str, int]
    shed_untold: int
    seconds: float
    served_per_second: float
    tokens_per_second: float
    p50: float
    p95: float
    p99: float
    slowest: float


async def open_loop(target: Target, rate: float, seconds: float, at_once: int = 1_000) -> list[Outcome]:
    """`rate` requests a second for so many seconds, then wait for the last. Request n is due at n / rate.

    Args:
        at_once: requests that may be open; one that is due beyond is not sent, and noted as such.

    Raises:
        ValueError: more than the bounds of this file allow.
    """
    count = math.ceil(rate * seconds)
    _check(count, seconds, at_once)
    gate = asyncio.Semaphore(at_once)
    async with _client(target) as client:
        begun = time.perf_counter()

        async def one(number: int) -> Outcome:
            due = number / rate
            if gate.locked():
                return Outcome(due, 0, 0.0, fault=NOT_SENT)
            async with gate:
                return await _ask(client, target, number, begun, due)

        tasks = []
        for number in range(count):
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            tasks.append(asyncio.create_task(one(number)))
        return list(await asyncio.gather(*tasks))


async def closed_loop(target: Target, clients: int, count: int, seconds: float = 60.0) -> list[Outcome]:
    """`count` requests in all by so many clients, none begun after so many seconds; in the order in which they were begun.

    Raises:
        ValueError: more than the bounds of this file allow.
    """
    _check(count, seconds, clients)
    outcomes: dict[int, Outcome] = {}
    async with _client(target) as client:
        begun, numbers = time.perf_counter(), iter(range(count))

        async def reader() -> None:
            for number in numbers:
                now = time.perf_counter() - begun
                if now >= seconds:
                    return
                outcomes[number] = await _ask(client, target, number, begun, now)

        await asyncio.gather(*(reader() for _ in range(clients)))
    return [outcomes[number] for number in sorted(outcomes)]


def summary(outcomes: Sequence[Outcome]) -> Summary:
    """The figures of a load; rates over the time to the last answer."""
    served = [one for one in outcomes if one.status == 200]
    taken = sorted(one.seconds for one in served)
    length = max((one.start + one.seconds for one in outcomes), default=0.0)
    return Summary(
        requests=len(outcomes),
        statuses=dict(collections.Counter(one.fault or str(one.status) for one in outcomes)),
        shed_untold=sum(one.status in (429, 503) and one.retry_after is None for one in outcomes),
        seconds=length,
        served_per_second=len(served) / length if length else 0.0,
        tokens_per_second=sum(one.tokens for one in served) / length if length else 0.0,
        p50=percentile(taken, 50), p95=percentile(taken, 95), p99=percentile(taken, 99), slowest=percentile(taken, 100),
    )  # fmt: skip


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that so many percent do not exceed (nearest rank); NaN of none.

    Args:
        values: sorted.
    """
    return values[max(0, -(-percent * len(values) // 100) - 1)] if values else math.nan


def _check(count: int, seconds: float, at_once: int) -> None:
    for name, value, most in (("requests", count, MOST_REQUESTS), ("seconds", seconds, MOST_SECONDS), ("at once", at_once, MOST_AT_ONCE)):
        if not 0 < value <= most:
            raise ValueError(f"{name}: {value} is outside 1 to {most}")


def _client(target: Target) -> aiohttp.ClientSession:
    """By aiohttp, which costs the processor a twentieth of httpx: the load shares this machine with what it measures.

    How many connections may be open is counted by the loops. A proxy of the environment, or a redirect, would lead elsewhere.
    """
    return aiohttp.ClientSession(
        headers=target.headers, timeout=aiohttp.ClientTimeout(total=target.timeout), trust_env=False, cookie_jar=aiohttp.DummyCookieJar(),
        connector=aiohttp.TCPConnector(limit=0),
    )  # fmt: skip


async def _ask(client: aiohttp.ClientSession, target: Target, number: int, begun: float, due: float) -> Outcome:
    status, tokens, wait, fault = 0, 0, None, ""
    try:
        async with client.post(target.address + target.path, json=target.body(number), allow_redirects=False) as answer:
            body = await answer.read()
        status, wait = answer.status, _seconds(answer.headers.get("Retry-After"))
        tokens = target.tokens(json.loads(body)) if status == 200 else 0
    except (aiohttp.ClientError, TimeoutError) as error:
        fault = type(error).__name__
    except (ValueError, KeyError, TypeError, IndexError):
        status, fault = 0, "Unreadable"
    return Outcome(due, status, time.perf_counter() - begun - due, tokens, wait, fault)


def _seconds(text: str | None) -> float | None:
    """Of a Retry-After in seconds, as ours are; a date is not read."""
    return float(text) if text is not None and text.isascii() and text.isdigit() else None
