"""One client connection: uvicorn's HTTP protocol, with a bound in time and bytes for each state (SERVE-3).

uvicorn alone has no bounds for these states: it waits for request headers without a timeout and without a size limit, and for a client
that does not read its answer; it cancels its keep-alive timer for any further byte; it queues pipelined requests without a limit; and it
takes the trailers of a chunked body for headers.

| state | bound |
|---|---|
| connected or idle, no byte of a request | `header_seconds` at first, `idle_seconds` after an answer |
| request headers | `header_seconds`, `header_bytes`, `header_fields` |
| request in progress | `request_seconds` in all; the endpoint has tighter limits for body and answer |
| headers and body, with chunk headers and trailers | `header_bytes`, and `BODY_OVERHEAD` times `body_bytes` |
| pipelined requests | `PIPELINED` wait; then the connection ends after their answers |
| client does not read | `send_seconds` |
| closing | `LINGER_SECONDS`, or `send_seconds` while the answer is being sent |
"""

import asyncio
import http
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.gateway.connection.head import bad_request, check_head, headers_too_large
from serving.gateway.connection.table import ConnectionTable, Place
from serving.gateway.http.exchange import CONNECTION, request_id
from serving.gateway.http.refusals import error_body
from serving.refusal import Refused

LINGER_SECONDS = 2.0  # a client that still sends after this time does not react to the answer
LINGER_BYTES = 16 << 20  # a body of 10 MB that an HTTP library sends before it reads
DRAIN_SECONDS = 1.0  # during a shutdown, an idle connection may start a last request for this time
PIPELINED = 4  # browsers send no pipelined requests; HTTP libraries that do send few
BODY_OVERHEAD = 8  # a body sent in chunks of one byte takes 6 bytes for each


@dataclass(frozen=True)
class ConnectionLimits:
    """The limits of a connection, from `ServeSettings`. `request_seconds`: longest time from the end of the headers to the answer."""

    header_seconds: float = 10.0
    header_bytes: int = 64 * 1024
    header_fields: int = 100
    idle_seconds: float = 30.0
    request_seconds: float = 50.0
    send_seconds: float = 10.0
    body_bytes: int = 64 * 1024


class Lingering:
    """A transport whose `close` first discards a request body that is still arriving.

    Otherwise a refused client may get a connection reset before it reads the answer. `ClientConnection.check` ends the wait.

    Args:
        unread: returns True while the request body is still arriving.
        closing: called when the close begins.
    """

    def __init__(self, transport: asyncio.Transport, unread: Callable[[], bool], closing: Callable[[], None]) -> None:
        self._transport, self._unread, self._closing = transport, unread, closing
        self._left: int | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Return True if the connection is closing and accepts no more writes."""
        return self._left is not None or self._transport.is_closing()

    def close(self, linger: bool = False) -> None:
        """Flush written data, then close the connection, or first discard what is still arriving.

        Args:
            linger: discard received bytes also if no request body is expected.
        """
        if self.is_closing():
            return
        self._closing()
        if linger or self._unread():
            self._left = LINGER_BYTES
            if self._transport.can_write_eof():  # not under TLS
                self._transport.write_eof()
            self._transport.resume_reading()
        else:
            self._transport.close()

    def drop(self, size: int) -> bool:
        """Count `size` received bytes. Return True if they are to be discarded."""
        if self._left is None:
            return self._transport.is_closing()
        self._left -= size
        if self._left < 0:
            self._transport.close()
        return True


class _Stop(Exception):
    """Ends the parsing of the received bytes."""


class ClientConnection(HttpToolsProtocol):
    """The protocol of one connection. `Listener` makes it, and calls `check` several times a second.

    Args:
        place: the place of this connection in the table.
        refused: called with the code of each refusal that no endpoint sees.
    """

    def __init__(
        self, *args: Any, limits: ConnectionLimits, table: ConnectionTable, place: Place, refused: Callable[[str], None], **options: Any
    ) -> None:  # fmt: skip
        super().__init__(*args, **options)
        self._limits, self._table, self._place, self._on_refused = limits, table, place, refused
        self._deadline = self.loop.time() + limits.header_seconds
        self._in_head = self._in_message = self._is_last = self._draining = False
        self._begun = 0  # requests that began in the bytes that are being parsed
        self._received = self._header_bytes = 0  # bytes of this request; and of its header fields
        self._stalled_since: float | None = None
        self._close_by: float | None = None

    # Events of the transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the connection. From now on, giving way means an abort."""
        super().connection_made(transport)
        self._lingering = Lingering(transport, lambda: self._body_unread, self._closing)
        self.transport = self._lingering  # type: ignore[assignment]
        self._place.end = transport.abort
        self._place.idle_since = self.loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Free the place of a lost connection."""
        self._table.leave(self._place)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse received bytes, or discard them if the connection is closing."""
        if self._lingering.drop(len(data)):
            return
        if self._is_last:  # no further request of this connection is read
            self._received += len(data)
            if self._received > self._limits.header_bytes:
                self.transport.abort()
            return
        self._unset_keepalive_if_required()
        in_message, self._begun = self._in_message, 0
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._is_last = True  # the request is answered as if it had no Upgrade header
        except httptools.HttpParserCallbackError as error:
            if not isinstance(error.__context__, _Stop):
                self._refuse(bad_request("its target is not a URL"))
        except httptools.HttpParserError:
            self._refuse(bad_request("its framing is wrong"))
        else:
            all_of_one_request = self._begun + in_message == 1
            self._received = self._received + len(data) if all_of_one_request else 0
            self._check_size()

    def pause_writing(self) -> None:
        """Note that the client does not read its answer."""
        super().pause_writing()
        self._stalled_since = self.loop.time()

    def resume_writing(self) -> None:
        """Note that the client has read a part of its answer."""
        super().resume_writing()
        self._stalled_since = None

    # Events of the parser

    def on_message_begin(self) -> None:
        """Start the limits of a request's head."""
        if self._answering and len(self.pipeline) >= PIPELINED:
            self._end_after_answers()
            raise _Stop
        super().on_message_begin()
        if self.cycle is not None and not self._answering:  # on a new connection, the time since the connect counts
            self._deadline = self.loop.time() + self._limits.header_seconds
        self._in_head = self._in_message = True
        self._begun, self._received, self._header_bytes = self._begun + 1, 0, 0

    def on_url(self, url: bytes) -> None:
        """Collect the request target."""
        super().on_url(url)
        self._count_header(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header. Trailers of a chunked body come here too, and are ignored."""
        if self._in_head:
            super().on_header(name, value)
            self._count_header(len(name) + len(value) + 4)

    def on_headers_complete(self) -> None:
        """Check the head, and start or queue the request."""
        self._in_head = False
        try:
            check_head(self.parser.get_http_version(), self.url, self.headers)
            if self.parser.should_upgrade() and any(name in (b"content-length", b"transfer-encoding") for name, _ in self.headers):
                raise bad_request("a request with an Upgrade header has a body")  # the parser does not read this body
        except Refused as refused:
            self._refuse(refused)
            raise _Stop from None
        self.scope[CONNECTION] = self  # type: ignore[literal-required]
        was_answering = self._answering
        super().on_headers_complete()
        if self._draining or self.parser.should_upgrade():
            self.cycle.keep_alive = False
        if not was_answering:
            self._begin()

    def on_message_complete(self) -> None:
        """Note the end of the request."""
        self._in_message = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Start the next pipelined request, or wait for one."""
        has_next = bool(self.pipeline)
        if self.pipeline[-1][0].disconnected if has_next else self._body_unread:
            self.transport.close()  # the next request is broken; or the rest of this body would be read as a request
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if has_next:
            self._begin()
        else:
            self._unset_keepalive_if_required()  # `check` does this
            now = self.loop.time()
            self._place.idle_since = now
            self._deadline = now + (self._limits.header_seconds if self._in_head else self._limits.idle_seconds)

    # Called by the application

    def ends_with(self, status: int) -> bool:
        """Return True if the connection is closed after an answer with this status.

        This is so if the request body is still arriving, and after an error if further requests wait: a client that pipelines requests
        would otherwise cost several refusals for each connection.
        """
        return self._body_unread or (status >= 400 and bool(self.pipeline))

    def shown_good_key(self) -> None:
        """Record that a request of this connection was authenticated."""
        self._table.prove(self._place)

    # Called by the listener and the server

    def check(self, now: float) -> None:
        """End the connection if it has been in its state for too long.

        Args:
            now: time of the event loop, in seconds.
        """
        if self._close_by is not None:
            if now > self._close_by:
                self.transport.abort()
        elif self._stalled_since is not None and now > self._stalled_since + self._limits.send_seconds:
            self._on_refused("unread_answer")
            self.transport.abort()
        elif now > self._deadline:
            self._on_deadline()

    def shutdown(self) -> None:
        """Let the requests in progress end. An idle connection may start one more request within `DRAIN_SECONDS`."""
        self._draining = True
        if self._answering:
            for cycle, _ in self.pipeline:
                cycle.keep_alive = False
            self.cycle.keep_alive = False
        else:
            self._deadline = min(self._deadline, self.loop.time() + DRAIN_SECONDS)

    @property
    def _body_unread(self) -> bool:
        return self.cycle is not None and self.cycle.more_body

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _begin(self) -> None:
        self._place.idle_since = None
        self._deadline = self.loop.time() + self._limits.request_seconds

    def _on_deadline(self) -> None:
        if self._answering:
            self.transport.abort()
        elif self._in_head:
            seconds = self._limits.header_seconds
            self._refuse(Refused(408, "slow_headers", f"the headers did not arrive within {seconds:g} seconds; send them faster"))
        else:
            self._lingering.close(linger=self.cycle is not None or self._draining)  # a request may be on its way

    def _closing(self) -> None:
        seconds = self._limits.send_seconds if self.transport.get_write_buffer_size() else LINGER_SECONDS
        self._close_by = self.loop.time() + seconds

    def _count_header(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > self._limits.header_bytes or len(self.headers) > self._limits.header_fields:
            self._refuse(self._too_large())
            raise _Stop

    def _check_size(self) -> None:
        limits = self._limits
        if self._in_head and self._received > limits.header_bytes:
            self._refuse(self._too_large())
        elif self._in_message and self._received > limits.header_bytes + BODY_OVERHEAD * limits.body_bytes:
            self._refuse(Refused(413, "body_too_large", f"the body is longer than {limits.body_bytes} bytes; send a shorter text"))

    def _too_large(self) -> Refused:
        return headers_too_large(self._limits.header_bytes, self._limits.header_fields)

    def _end_after_answers(self) -> None:
        self._is_last, self._received = True, 0
        self.cycle.keep_alive = False

    def _refuse(self, refused: Refused) -> None:
        """Answer a request that does not reach the application, and close the connection."""
        self._on_refused(refused.code)
        if self._answering:
            broken_body = self.cycle.more_body
            if broken_body:
                self.cycle.disconnected = True  # the endpoint stops waiting for the body
                self.cycle.message_event.set()
            if self.pipeline or not broken_body:  # bytes written now would become part of an earlier answer
                self._end_after_answers()
                return
            if self.cycle.response_started:
                self.transport.abort()
                return
        self.transport.write(raw_response(refused))
        self._lingering.close(linger=True)


def raw_response(refused: Refused) -> bytes:
    """Return the whole HTTP response for a refusal that no endpoint sees. It closes the connection."""
    id_ = request_id()
    body = json.dumps(error_body(refused, id_)).encode()
    headers = {
        "Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close", "Cache-Control": "no-store",
        "X-Request-ID": id_, **refused.headers,
    }  # fmt: skip
    lines = [f"HTTP/1.1 {refused.status} {http.HTTPStatus(refused.status).phrase}", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body
