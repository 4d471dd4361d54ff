"""Users who ask the served model, at a fixed rate, whether or not earlier requests were answered."""

import asyncio
import itertools
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import aiohttp

RATE = 10.0  # requests per second
RETURNING_SHARE = 0.2  # of the requests come from somebody who has asked before
LENGTH = 12  # tokens of an answer
TIMEOUT = 20.0  # seconds
MOST_OPEN = 200  # requests at a time; more show that the servers are too slow for the rate


class Users:
    """The users of an application that names its end users. They ask in a thread.

    Attributes:
        prompts: what they type now. May be replaced at any time.
        asked, failed: number of requests that have ended, and of those without an answer of status 200.
        error: an error of the driver itself, such as too many open requests.
    """

    def __init__(self, address: str, key: str, prompts: Sequence[str]) -> None:
        self.prompts, self.asked, self.failed = prompts, 0, 0
        self.error: BaseException | None = None
        self._address, self._key, self._stopped = address, key, threading.Event()

    @contextmanager
    def asking(self, seconds: float) -> Iterator[None]:
        """Ask during the block, at most for so many seconds."""
        thread = threading.Thread(target=self._run, args=(seconds,), name="users")
        thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            thread.join(2 * TIMEOUT)

    def _run(self, seconds: float) -> None:
        try:
            asyncio.run(self._ask_until(time.monotonic() + seconds))
        except BaseException as error:
            self.error = error

    async def _ask_until(self, end: float) -> None:
        dice, numbers, tasks = random.Random(5), itertools.count(1), set[asyncio.Task[None]]()
        async with aiohttp.ClientSession(
            headers={"X-API-Key": self._key}, timeout=aiohttp.ClientTimeout(total=TIMEOUT), trust_env=False,
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar(),
        ) as client:  # fmt: skip
            newest, due = 0, time.monotonic()
            while not self._stopped.is_set() and time.monotonic() < end:
                due += 1 / RATE
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                if len(tasks) >= MOST_OPEN:
                    raise RuntimeError(f"{MOST_OPEN} requests are open: this machine is too slow for {RATE:g} requests/s")
                if not newest or dice.random() >= RETURNING_SHARE:
                    newest = user = next(numbers)
                else:
                    user = dice.randint(1, newest)
                tasks.add(task := asyncio.create_task(self._ask(client, f"reader-{user}", dice.choice(self.prompts))))
                task.add_done_callback(tasks.discard)
            await asyncio.gather(*tasks)
            if not self._stopped.is_set():
                raise RuntimeError("the replay takes too long, so the users have stopped")

    async def _ask(self, client: aiohttp.ClientSession, user: str, prompt: str) -> None:
        status = 0
        try:
            body = {"text": prompt, "max_length": LENGTH}
            async with client.post(f"{self._address}/v1/generate", json=body, headers={"X-End-User": user}) as answer:
                await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError):
            pass
        self.asked += 1
        self.failed += status != 200
