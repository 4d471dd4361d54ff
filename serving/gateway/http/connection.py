"""A reader's connection: uvicorn's, and bounded in number and in the time until a request is there (SERVE-3).

uvicorn waits for the headers of a request for ever; whoever opened connections and said nothing would need no key to take all of the
process's files.
"""

import asyncio
import http
import json
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.gateway.http.exchange import request_id
from serving.gateway.http.refusals import error_body
from serving.refusal import Refused

SECONDS = 2.0  # a client that is still sending then has not listened
BYTES = 64 << 20


class Lingering:
    """A transport whose `close` waits, where it must, until the client has ended or has sent enough.

    Args:
        unread: whether the request's body is still coming.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, unread: Callable[[], bool]) -> None:
        self._transport, self._loop, self._unread = transport, loop, unread
        self._timer: asyncio.TimerHandle | None = None
        self._left = BYTES

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """No more is written."""
        return self._timer is not None or self._transport.is_closing()

    def close(self) -> None:
        """Send what was written; close now, or after what is still coming."""
        if self.is_closing():
            return
        if self._unread() and self._transport.can_write_eof():  # not over TLS, which has no half of a connection
            self._transport.write_eof()
            self._transport.resume_reading()
            self._timer = self._loop.call_later(SECONDS, self._transport.close)
        else:
            self._transport.close()

    def drop(self, size: int) -> bool:
        """`size` bytes came: whether nobody reads them any more."""
        if self._timer is None:
            return False
        self._left -= size
        if self._left < 0:
            self._transport.close()
        return True

    def lost(self) -> None:
        """The connection has ended."""
        if self._timer is not None:
            self._timer.cancel()


class Connection(HttpToolsProtocol):
    """For `uvicorn.Config(http=…)`, by `functools.partial`.

    Args:
        header_seconds: from the beginning of a connection, or of a request on a kept one, to the end of the request's headers.
        most: connections at a time; a further one is told so and closed.
    """

    def __init__(self, *args: Any, header_seconds: float, most: int, **given: Any) -> None:
        super().__init__(*args, **given)
        self._seconds, self._most = header_seconds, most
        self._timer: asyncio.TimerHandle | None = None
        self._begun = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """One more."""
        super().connection_made(transport)
        self._lingering = Lingering(transport, self.loop, lambda: self.cycle is not None and self.cycle.more_body)
        self.transport = self._lingering  # type: ignore[assignment]
        if len(self.connections) > self._most:
            self._refuse(Refused(503, "overloaded", "too many are connected just now; try again in 1 s", {"Retry-After": "1"}))
        else:
            self._start()

    def connection_lost(self, exc: Exception | None) -> None:
        """One less."""
        self._stop()
        self._lingering.lost()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request, or of the body of one that was refused."""
        if not self._lingering.drop(len(data)):
            super().data_received(data)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._begun = True
        if self._timer is None:
            self._start()

    def on_headers_complete(self) -> None:
        """From here on the body has a time of its own."""
        self._stop()
        self._begun = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is told so in our form."""
        self._stop()
        self._refuse(Refused(400, "bad_request", "this is no HTTP request; see /openapi.json"))

    def _start(self) -> None:
        self._timer = self.loop.call_later(self._seconds, self._late)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if self.cycle is not None and not self.cycle.response_complete:  # the request before is being answered still
            self._start()
        elif self._begun:
            self._refuse(Refused(408, "slow_headers", f"the headers did not arrive within {self._seconds:g} seconds; send them faster"))
        else:
            self.transport.close()

    def _refuse(self, refused: Refused) -> None:
        id_ = request_id(None)
        body = json.dumps(error_body(refused, id_)).encode()
        headers = {
            "Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close", "Cache-Control": "no-store",
            "X-Request-ID": id_, **refused.headers,
        }  # fmt: skip
        lines = [f"HTTP/1.1 {refused.status} {http.HTTPStatus(refused.status).phrase}", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
        self.transport.write("\r\n".join(lines).encode() + body)
        self.transport.close()
