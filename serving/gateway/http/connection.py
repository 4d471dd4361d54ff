"""Client connections: uvicorn's protocol with a limit on their number and on the time until the request headers arrive (SERVE-3).

uvicorn waits for request headers without a timeout. A client without a key could open idle connections until the process has no file
descriptors left.
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

LINGER_SECONDS = 2.0  # a client that still sends after this time does not react to the response
LINGER_BYTES = 64 << 20


class Lingering:
    """A transport whose `close` first discards a request body that is still arriving.

    Otherwise a refused client may get a connection reset before it reads the response. The wait ends after `LINGER_SECONDS` or
    `LINGER_BYTES`.

    Args:
        unread: returns True while the request body is still arriving.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, unread: Callable[[], bool]) -> None:
        self._transport, self._loop, self._unread = transport, loop, unread
        self._timer: asyncio.TimerHandle | None = None
        self._left = LINGER_BYTES

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Return True if the connection is closing and accepts no more writes."""
        return self._timer is not None or self._transport.is_closing()

    def close(self) -> None:
        """Flush written data, then close the connection, or first discard the rest of the request body."""
        if self.is_closing():
            return
        if self._unread() and self._transport.can_write_eof():  # TLS does not support a half-closed connection
            self._transport.write_eof()
            self._transport.resume_reading()
            self._timer = self._loop.call_later(LINGER_SECONDS, self._transport.close)
        else:
            self._transport.close()

    def drop(self, size: int) -> bool:
        """Count `size` received bytes. Return True if they are to be discarded."""
        if self._timer is None:
            return False
        self._left -= size
        if self._left < 0:
            self._transport.close()
        return True

    def lost(self) -> None:
        """Cancel the timer after the connection is lost."""
        if self._timer is not None:
            self._timer.cancel()


class LimitedConnection(HttpToolsProtocol):
    """A uvicorn HTTP protocol with connection limits. Pass it to `uvicorn.Config(http=…)` with `functools.partial`.

    Args:
        header_seconds: maximum time until the request headers are complete, from the start of the connection, or of a request on a
            kept-alive connection.
        max_connections: maximum number of connections. A further connection gets a 503 response and is closed.
    """

    def __init__(self, *args: Any, header_seconds: float, max_connections: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self._seconds, self._max_connections = header_seconds, max_connections
        self._timer: asyncio.TimerHandle | None = None
        self._request_begun = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Register a new connection, or refuse it with 503 if there are too many."""
        super().connection_made(transport)
        self._lingering = Lingering(transport, self.loop, lambda: self.cycle is not None and self.cycle.more_body)
        self.transport = self._lingering  # type: ignore[assignment]
        if len(self.connections) > self._max_connections:
            self._refuse(Refused(503, "overloaded", "too many connections are open; try again in 1 s", {"Retry-After": "1"}))
        else:
            self._start()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers of a lost connection."""
        self._stop()
        self._lingering.lost()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse received bytes, or discard them if the request was already refused."""
        if not self._lingering.drop(len(data)):
            super().data_received(data)

    def on_message_begin(self) -> None:
        """Start the header timeout at the first byte of a request."""
        super().on_message_begin()
        self._request_begun = True
        if self._timer is None:
            self._start()

    def on_headers_complete(self) -> None:
        """Stop the header timeout. The body has a separate timeout (`read_body`)."""
        self._stop()
        self._request_begun = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer input that is not HTTP with an error in the API's JSON form."""
        self._stop()
        self._refuse(Refused(400, "bad_request", "the request is not valid HTTP; see /openapi.json"))

    def _start(self) -> None:
        self._timer = self.loop.call_later(self._seconds, self._on_timeout)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timeout(self) -> None:
        self._timer = None
        if self.cycle is not None and not self.cycle.response_complete:  # the previous request is still being answered
            self._start()
        elif self._request_begun:
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
