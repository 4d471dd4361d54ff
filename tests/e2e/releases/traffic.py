"""End users of an application who ask all the time, in a thread: new ones, and ones who come back."""

import asyncio
import itertools
import json
import random
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import aiohttp

from tests.e2e.releases.versions import FAILING_LENGTH

APPLICATION = "app"  # user of the key; its scope `end-users` lets it name its readers
NEW_SHARE, STREAM_SHARE, FAILING_SHARE = 0.8, 0.3, 0.6
RETURNING, MOST_OPEN = 400, 300  # users who may come back; requests at a time
SECONDS = 20.0  # timeout of a request: more than the gateway's deadline


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request.

    Attributes:
        user: id that the application gave in `X-End-User`.
        begun, ended: seconds since 1970.
        status: that of HTTP, or of the event that broke a stream; 0 without an answer.
        version, arm: what served it, as the answer says; 0 and "" without a text.
        fault: the error code of the answer, or the exception.
    """

    user: str
    begun: float
    ended: float
    status: int
    version: int = 0
    arm: str = ""
    fault: str = ""


@dataclass
class Traffic:
    """Requests at a fixed rate, whether or not earlier ones were answered. A user has one request at a time.

    Attributes:
        rate: requests per second.
        answers: in the order of their ends.
        error: an error of the driver itself.
    """

    address: str
    key: str
    rate: float
    answers: list[Answer] = field(default_factory=list)
    error: BaseException | None = None
    _stopping: threading.Event = field(default_factory=threading.Event)

    def run(self, seconds: float) -> None:
        """Ask until `stop`, at most for so many seconds."""
        try:
            asyncio.run(self._run(time.monotonic() + seconds))
        except BaseException as error:
            self.error = error

    def stop(self) -> None:
        """Begin no further request."""
        self._stopping.set()

    async def _run(self, until: float) -> None:
        dice, numbers, back, tasks = random.Random(5), itertools.count(), deque[str](maxlen=RETURNING), set[asyncio.Task[None]]()
        async with aiohttp.ClientSession(
            headers={"X-API-Key": self.key}, timeout=aiohttp.ClientTimeout(total=SECONDS), trust_env=False,
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar(),
        ) as client:  # fmt: skip
            due = time.monotonic()
            while not self._stopping.is_set() and time.monotonic() < until:
                due += 1 / self.rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                if len(tasks) >= MOST_OPEN:
                    raise RuntimeError(f"{MOST_OPEN} requests are open: the servers are too slow for {self.rate} requests/s")
                user = f"reader-{next(numbers)}" if dice.random() < NEW_SHARE or not back else back.popleft()
                length = FAILING_LENGTH if dice.random() < FAILING_SHARE else FAILING_LENGTH - 1
                body = {"text": "the rose sleeps upon", "max_length": length, "stream": dice.random() < STREAM_SHARE}
                tasks.add(task := asyncio.create_task(self._ask(client, user, body, back)))
                task.add_done_callback(tasks.discard)
            await asyncio.gather(*tasks)

    async def _ask(self, client: aiohttp.ClientSession, user: str, body: dict[str, object], back: deque[str]) -> None:
        begun, status, fault, answer = time.time(), 0, "", dict[str, str]()
        try:
            async with client.post(
                f"{self.address}/v1/generate", json=body, headers={"X-End-User": user}, allow_redirects=False
            ) as response:
                text, status = await response.text(), response.status
            whole = _last_event(text) if body["stream"] and status == 200 else json.loads(text)
            status, fault = whole.get("status_code", status), whole.get("error", {}).get("code", "")
            answer = whole.get("metadata", {})
        except (aiohttp.ClientError, TimeoutError, ValueError, IndexError) as error:
            status, fault = 0, f"{type(error).__name__} {error}"
        self.answers.append(Answer(user, begun, time.time(), status, int(answer.get("model_version", 0)), answer.get("arm", ""), fault))
        back.append(user)


def _last_event(text: str) -> dict[str, object]:
    """Return the data of the last server-sent event: `done` or `error`."""
    return json.loads(text.strip().rsplit("data: ", 1)[1])  # type: ignore[no-any-return]


@contextmanager
def traffic(address: str, key: str, rate: float, seconds: float) -> Iterator[Traffic]:
    """Let users ask during the block, at most for so many seconds."""
    driver = Traffic(address, key, rate)
    thread = threading.Thread(target=driver.run, args=(seconds,), name="traffic")
    thread.start()
    try:
        yield driver
    finally:
        driver.stop()
        thread.join(2 * SECONDS)
    if driver.error is not None:
        raise driver.error
