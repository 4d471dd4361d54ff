"""Responses: JSON, server-sent events (HTML standard), and cancellation when the client disconnects."""

import asyncio
import json
from collections.abc import AsyncGenerator, Coroutine, Mapping
from typing import Any, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

Result = TypeVar("Result")


def json_response(body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response that is not cached."""
    text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(text.encode(), status, {**(headers or {}), "Cache-Control": "no-store"}, "application/json")


class ClientDisconnected(Exception):
    """The client disconnected before the response."""


async def unless_disconnected(receive: Receive, work: Coroutine[Any, Any, Result]) -> Result:
    """Return the result of `work`. Cancel it if the client disconnects first. The request body must already be read.

    Raises:
        ClientDisconnected: the client disconnected first.
    """
    work_task = asyncio.create_task(work)
    disconnect_task = asyncio.create_task(_wait_for_disconnect(receive))
    try:
        await asyncio.wait((work_task, disconnect_task), return_when=asyncio.FIRST_COMPLETED)
        if not work_task.done():
            raise ClientDisconnected
        return work_task.result()
    finally:
        pending = [task for task in (work_task, disconnect_task) if not task.done()]
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


# Line ends by Unicode's rules, which `str.splitlines` of some clients follows. JSON allows them unescaped in a string.
_LINE_ENDS = {ord(character): f"\\u{ord(character):04x}" for character in "\u0085\u2028\u2029"}


def event(name: str, data: Mapping[str, Any]) -> bytes:
    """Encode one event. The JSON contains no line end, so one `data:` line is enough."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(_LINE_ENDS)
    return f"event: {name}\ndata: {text}\n\n".encode()


class EventStream(Response):
    """A response that sends events as they arrive. It stops the generator when the client disconnects.

    Args:
        first: the first event, already computed. An error before it can therefore still set the HTTP status.
        events: the following events. The generator is closed at the end.
    """

    def __init__(self, first: bytes, events: AsyncGenerator[bytes], headers: Mapping[str, str]) -> None:
        # Proxies must not buffer the events.
        super().__init__(None, 200, {**headers, "X-Accel-Buffering": "no"}, "text/event-stream")
        del self.headers["content-length"]
        self._first, self._events = first, events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await unless_disconnected(receive, self._send(send))
        finally:
            await self._events.aclose()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.body", "body": self._first, "more_body": True})
        async for chunk in self._events:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
