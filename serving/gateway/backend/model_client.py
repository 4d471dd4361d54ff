"""The client of the model server: TensorFlow Serving's REST API over kept connections (contract 10)."""

import asyncio
import json
import ssl
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

import aiohttp

from robo_poet.model.inputs import Arrays
from serving.gateway.backend.row_limit import RowLimit
from serving.gateway.backend.tls import connection_trouble
from serving.gateway.http.refusals import model_failed
from serving.refusal import Refused

RETRY_SECONDS = 1  # sent in Retry-After if the model server sends none
STATUS_SECONDS = 2.0  # timeout of a status request, which the model server answers from memory
CONNECT_SECONDS = 2.0  # connect timeout, well above network latency
KEPT_SECONDS = 4.0  # idle time of a kept connection: less than uvicorn's 5 s


class _Answer(NamedTuple):
    status: int
    retry_after: str
    body: bytes


class VersionGone(Exception):
    """The model server does not have the requested version loaded."""


class ModelClient:
    """A client for one model. Close it at the end.

    It uses aiohttp. With 32 calls in flight, a call costs 0.1 ms of CPU time. With httpx it costs 2.6 ms, because httpx scans all of its
    connections for each call (docs/explanation/serving.md).

    Args:
        address: base URL of the model server's REST API, without a path.
        model: name of the model on the model server.
        rows: maximum number of rows at the model server. Further calls wait in this process.
        tls: the TLS settings of an https address.

    Attributes:
        calls: calls that are not answered yet: those that wait, and those at the model server.
        lost: called when a prediction does not reach the model server, or loses the connection to it.
    """

    def __init__(self, address: str, model: str, rows: int, tls: ssl.SSLContext | None = None) -> None:
        self._address, self._tls = f"{address}/v1/models/{model}", tls
        self._opened: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._limit = RowLimit(rows)
        self.calls = 0
        self.lost: Callable[[], None] = lambda: None

    @property
    def waiting(self) -> int:
        """Calls that were not sent yet, because the model server has its maximum number of rows."""
        return self._limit.waiting

    async def predict(
        self, version: int, signature: str, inputs: Arrays, until: float, request_id: str, user: str = ""
    ) -> Mapping[str, Any]:
        """Run a signature of a version. Return its outputs by name, as nested lists with the batch as first axis.

        Args:
            until: deadline as a value of `time.monotonic`. The model server receives the time left in the header X-Deadline-Ms.
            request_id: id that is sent in the header X-Request-ID, for the model server's log.
            user: users take turns if calls have to wait.

        Raises:
            VersionGone: the version is not loaded.
            Refused: 503 (unreachable or overloaded; with Retry-After), 504 (deadline exceeded) or 502 (error or invalid response).
        """
        body = json.dumps({"signature_name": signature, "inputs": {name: value.tolist() for name, value in inputs.items()}})
        rows = max(len(value) for value in inputs.values())
        self.calls += 1
        try:
            async with asyncio.timeout(until - time.monotonic()), self._limit.held(rows, user):
                answer = await self._post(f"{self._address}/versions/{version}:predict", body.encode(), until, request_id)
        except TimeoutError:
            raise slow() from None
        finally:
            self.calls -= 1
        if answer.status == HTTPStatus.NOT_FOUND:
            raise VersionGone(version)
        if answer.status != HTTPStatus.OK:
            raise _refused(answer)
        return _outputs(answer)

    async def available(self) -> frozenset[int]:
        """Return the numbers of the loaded versions.

        Raises:
            Refused: 503 if the model server cannot be reached. Its cause is a `ConnectionTrouble` or None.
        """
        try:
            async with asyncio.timeout(STATUS_SECONDS), self._session().get(self._address, allow_redirects=False) as response:
                if response.status == HTTPStatus.NOT_FOUND:  # no version is loaded yet
                    return frozenset()
                response.raise_for_status()
                statuses = json.loads(await response.read())["model_version_status"]
            return frozenset(int(status["version"]) for status in statuses if status["state"] == "AVAILABLE")
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
            raise unavailable() from connection_trouble(error, tls=self._tls is not None)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop of the calls.

        Raises:
            RuntimeError: no call was made yet.
        """
        if self._loop is None:
            raise RuntimeError("no call was made yet")
        return self._loop

    async def close(self) -> None:
        """Close the connections."""
        if self._opened is not None:
            await self._opened.close()

    def _session(self) -> aiohttp.ClientSession:
        """Return the session. It is opened at the first call, because it belongs to the event loop that is running then."""
        if self._opened is None:
            self._loop = asyncio.get_running_loop()
            # No limits here: each call has a deadline, and admission limits the number of requests.
            self._opened = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_SECONDS, ssl=self._tls or True),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            )  # fmt: skip
        return self._opened

    async def _post(self, address: str, body: bytes, until: float, request_id: str) -> _Answer:
        """Send a request, with one retry.

        The server may close a kept connection just when it is used again. A retry is safe: the same call gives the same output.
        """
        for last_attempt in (False, True):
            remaining = until - time.monotonic()
            if remaining <= 0:
                raise slow()
            headers = {"Content-Type": "application/json", "X-Deadline-Ms": str(max(1, int(remaining * 1000))), "X-Request-ID": request_id}
            try:
                async with self._session().post(address, data=body, headers=headers, allow_redirects=False) as response:
                    return _Answer(response.status, response.headers.get("Retry-After", ""), await response.read())
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
                raise self._lost() from None
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, aiohttp.ClientPayloadError):
                if last_attempt:
                    raise self._lost() from None
            except aiohttp.ClientError:
                raise self._lost() from None
        raise AssertionError  # the second attempt returned or raised

    def _lost(self) -> Refused:
        self.lost()
        return unavailable()


def _outputs(answer: _Answer) -> Mapping[str, Any]:
    try:
        outputs = json.loads(answer.body)["outputs"]
    except (ValueError, KeyError, TypeError, RecursionError):
        outputs = None
    if not isinstance(outputs, dict):
        raise model_failed()
    return outputs


def _refused(answer: _Answer) -> Refused:
    """Return the refusal for an error of the model server, without its message."""
    if answer.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        retry_after = answer.retry_after
        seconds = retry_after if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 5 else str(RETRY_SECONDS)
        return Refused(503, "overloaded", f"too many requests are running; try again in {seconds} s", {"Retry-After": seconds})
    return slow() if answer.status == HTTPStatus.GATEWAY_TIMEOUT else model_failed()


def unavailable() -> Refused:
    """Return the refusal for an unreachable model server: 503."""
    return Refused(
        503, "model_unavailable", f"the model server cannot be reached; try again in {RETRY_SECONDS} s", {"Retry-After": str(RETRY_SECONDS)}
    )


def slow() -> Refused:
    """Return the refusal for an exceeded deadline: 504."""
    return Refused(504, "timeout", "the deadline was exceeded; reduce max_length or num_samples, or try again")
