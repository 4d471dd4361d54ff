"""Ends a connection so that a client still sending its body can read why it was refused (RFC 9112, 9.6).

To close a socket with bytes unread resets the connection, and the client's system throws away an answer it has not read yet.
"""

import asyncio
from collections.abc import Callable
from typing import Any

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
