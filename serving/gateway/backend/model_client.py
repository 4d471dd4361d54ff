"""The client of the model server: TensorFlow Serving's REST API over kept connections (contract 10)."""

import asyncio
import json
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

import aiohttp

from robo_poet.model.inputs import Arrays
from serving.gateway.http.refusals import model_failed
from serving.refusal import Refused

RETRY_SECONDS = 1  # told to readers where the model server says nothing itself
STATUS_SECONDS = 2.0  # for a status, which is answered from memory
CONNECT_SECONDS = 2.0  # far more than any network takes
KEPT_SECONDS = 4.0  # how long an idle connection is kept: less than the 5 s of a uvicorn


class _Answer(NamedTuple):
    status: int
    retry_after: str
    body: bytes


class VersionGone(Exception):
    """The model server does not have this version now."""


class ModelClient:
    """Calls of one model. Close it at the end.

    By aiohttp: while 32 calls are out, one costs it 0.1 ms of the processor and httpx 2.6 ms, which looks through all of its connections
    each time (docs/explanation/serving.md).

    Args:
        address: of the model server's REST, without a path.
        model: its name there.
    """

    def __init__(self, address: str, model: str) -> None:
        self._address = f"{address}/v1/models/{model}"
        self._opened: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.waiting = 0  # calls that are out now

    async def predict(self, version: int, signature: str, inputs: Arrays, until: float, request_id: str) -> Mapping[str, Any]:
        """Outputs by name, as lists, batch first.

        Args:
            until: `time.monotonic` at which the answer is of no use any more; the model server is told.
            request_id: stands in its log.

        Raises:
            VersionGone: it does not have this version.
            Refused: 503 (gone, or too busy: with Retry-After), 504 (too slow), 502 (it failed).
        """
        body = json.dumps({"signature_name": signature, "inputs": {name: value.tolist() for name, value in inputs.items()}})
        self.waiting += 1
        try:
            answer = await self._post(f"{self._address}/versions/{version}:predict", body.encode(), until, request_id)
        finally:
            self.waiting -= 1
        if answer.status == HTTPStatus.NOT_FOUND:
            raise VersionGone(version)
        if answer.status != HTTPStatus.OK:
            raise _refused(answer)
        return _outputs(answer)

    async def available(self) -> frozenset[int]:
        """Versions that can be called.

        Raises:
            Refused: 503, the model server cannot be asked.
        """
        try:
            async with asyncio.timeout(STATUS_SECONDS), self._session().get(self._address) as response:
                if response.status == HTTPStatus.NOT_FOUND:  # it knows of none, yet
                    return frozenset()
                response.raise_for_status()
                found = json.loads(await response.read())["model_version_status"]
            return frozenset(int(one["version"]) for one in found if one["state"] == "AVAILABLE")
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError):
            raise unavailable() from None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Where its calls run, once there was one.

        Raises:
            RuntimeError: there was none.
        """
        if self._loop is None:
            raise RuntimeError("no call was made yet")
        return self._loop

    async def close(self) -> None:
        """Close the connections."""
        if self._opened is not None:
            await self._opened.close()

    def _session(self) -> aiohttp.ClientSession:
        """Opened at the first call, for it belongs to the event loop that it is opened in."""
        if self._opened is None:
            self._loop = asyncio.get_running_loop()
            # Deadlines are ours, and how many calls are out is limited where requests come in.
            self._opened = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_SECONDS), cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            )  # fmt: skip
        return self._opened

    async def _post(self, address: str, body: bytes, until: float, request_id: str) -> _Answer:
        """A kept connection may end just when it is used again. The call writes the same text each time, so it is made anew, once."""
        for last in (False, True):
            left = until - time.monotonic()
            if left <= 0:
                raise slow()
            headers = {"Content-Type": "application/json", "X-Deadline-Ms": str(max(1, int(left * 1000))), "X-Request-ID": request_id}
            try:
                async with (
                    asyncio.timeout(left),
                    self._session().post(address, data=body, headers=headers, allow_redirects=False) as response,
                ):
                    return _Answer(response.status, response.headers.get("Retry-After", ""), await response.read())
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
                raise unavailable() from None
            except TimeoutError:
                raise slow() from None
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, aiohttp.ClientPayloadError):
                if last:
                    raise unavailable() from None
            except aiohttp.ClientError:
                raise unavailable() from None
        raise AssertionError  # the second turn returned or raised


def _outputs(answer: _Answer) -> Mapping[str, Any]:
    try:
        found = json.loads(answer.body)["outputs"]
    except (ValueError, KeyError, TypeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise model_failed()
    return found


def _refused(answer: _Answer) -> Refused:
    """What an error of the model server means to a reader. Its own words stay with us."""
    if answer.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        told = answer.retry_after
        seconds = told if told.isascii() and told.isdigit() and len(told) < 5 else str(RETRY_SECONDS)
        return Refused(503, "overloaded", f"too many are writing just now; try again in {seconds} s", {"Retry-After": seconds})
    return slow() if answer.status == HTTPStatus.GATEWAY_TIMEOUT else model_failed()


def unavailable() -> Refused:
    """Nobody answers there."""
    return Refused(503, "model_unavailable", "the model cannot be reached just now; try again soon", {"Retry-After": str(RETRY_SECONDS)})


def slow() -> Refused:
    """The deadline is over."""
    return Refused(504, "timeout", "it was not done in time; ask for a shorter text or fewer samples, or try again")
