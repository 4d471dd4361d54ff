"""The model server, as the gateway calls it: TensorFlow Serving's REST (contract 10), over connections that are kept."""

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

import httpx

from robo_poet.model.inputs import Arrays
from serving.gateway.refusals import model_failed
from serving.refusal import Refused

RETRY_SECONDS = 1  # told to readers where the model server says nothing itself
STATUS_SECONDS = 2.0  # for a status, which is answered from memory

# Deadlines are ours, so the client has none of its own but for connecting, which on any network takes far less.
_TIMEOUT = httpx.Timeout(None, connect=2.0)
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=128, keepalive_expiry=4.0)  # less than the 5 s of a uvicorn


class VersionGone(Exception):
    """The model server does not have this version now."""


class ModelClient:
    """Calls of one model. Close it at the end.

    Args:
        address: of the model server's REST, without a path.
        model: its name there.
        transport: for tests.
    """

    def __init__(self, address: str, model: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._path = f"/v1/models/{model}"
        self._http = httpx.AsyncClient(base_url=address, timeout=_TIMEOUT, limits=_LIMITS, trust_env=False, transport=transport)
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
            response = await self._post(f"{self._path}/versions/{version}:predict", body, until, request_id)
        finally:
            self.waiting -= 1
        if response.status_code == 404:
            raise VersionGone(version)
        if response.status_code != 200:
            raise _refused(response)
        return _outputs(response)

    async def available(self) -> frozenset[int]:
        """Versions that can be called.

        Raises:
            Refused: 503, the model server cannot be asked.
        """
        try:
            response = await self._http.get(self._path, timeout=STATUS_SECONDS)
            if response.status_code == 404:  # it knows of none, yet
                return frozenset()
            found = response.raise_for_status().json()["model_version_status"]
            return frozenset(int(one["version"]) for one in found if one["state"] == "AVAILABLE")
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            raise unavailable() from None

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _post(self, path: str, body: str, until: float, request_id: str) -> httpx.Response:
        """A kept connection may end just when it is used again. The call writes the same text each time, so it is made anew, once."""
        for last in (False, True):
            left = until - time.monotonic()
            if left <= 0:
                raise slow()
            headers = {"Content-Type": "application/json", "X-Deadline-Ms": str(max(1, int(left * 1000))), "X-Request-ID": request_id}
            try:
                async with asyncio.timeout(left):
                    return await self._http.post(path, content=body, headers=headers)
            except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout):
                raise slow() from None
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                if last:
                    raise unavailable() from None
            except httpx.HTTPError:
                raise unavailable() from None
        raise AssertionError  # the second turn returned or raised


def _outputs(response: httpx.Response) -> Mapping[str, Any]:
    try:
        found = response.json()["outputs"]
    except (ValueError, KeyError, TypeError):
        found = None
    if not isinstance(found, dict):
        raise model_failed()
    return found


def _refused(response: httpx.Response) -> Refused:
    """What an error of the model server means to a reader. Its own words stay with us."""
    if response.status_code in (429, 503):
        told = response.headers.get("retry-after", "")
        seconds = told if told.isascii() and told.isdigit() and len(told) < 5 else str(RETRY_SECONDS)
        return Refused(503, "overloaded", f"too many are writing just now; try again in {seconds} s", {"Retry-After": seconds})
    return slow() if response.status_code == 504 else model_failed()


def unavailable() -> Refused:
    """Nobody answers there."""
    return Refused(503, "model_unavailable", "the model cannot be reached just now; try again soon", {"Retry-After": str(RETRY_SECONDS)})


def slow() -> Refused:
    """The deadline is over."""
    return Refused(504, "timeout", "it was not done in time; ask for a shorter text or fewer samples, or try again")
