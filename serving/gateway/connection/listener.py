"""Accepts connections. Counts each one from the moment it is accepted, so that a TLS handshake that never ends is limited too."""

import asyncio
import contextlib
import ctypes
import errno
import socket
import ssl
import struct
from collections.abc import Callable
from functools import partial

import uvicorn

from robo_poet.settings.serve import ServeSettings
from serving.gateway.connection.protocol import ClientConnection, ConnectionLimits, raw_response
from serving.gateway.connection.table import ConnectionTable, Place
from serving.refusal import Refused

CHECK_SECONDS = 0.25  # interval between two checks of all connections; 1,000 connections take 0.3 ms
BACKLOG = 1024
BATCH = 64  # connections accepted between two turns of the event loop
SHUTDOWN_SECONDS = 2.0  # time for the TLS close_notify of the client
DRAIN_SECONDS = 0.05  # time for handshakes that had begun before new ones were refused; on loopback they take 0.1 ms
PAUSE_SECONDS = 0.1  # pause after the process has run out of file descriptors


class Listener:
    """A listening socket whose connections uvicorn serves. uvicorn itself gets no socket.

    Args:
        server: its lifespan must have started before `start`.
        listening: bound and listening socket. It is closed by `stop`.
        tls: context for HTTPS, or None.
        refused: called with the code of each refusal that no endpoint sees.
    """

    def __init__(
        self, server: uvicorn.Server, listening: socket.socket, table: ConnectionTable, limits: ConnectionLimits,
        refused: Callable[[str], None], tls: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        self._server, self._socket, self._table, self._limits, self._refused, self._tls = server, listening, table, limits, refused, tls
        self._connecting: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._checks: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Accept connections until `stop`."""
        self._socket.setblocking(False)
        self._loop.add_reader(self._socket, self._accept)
        self._check()

    async def stop(self) -> None:
        """Stop accepting. Connections that wait in the kernel are accepted first: closing the socket would reset them."""
        _ignore_new_clients(self._socket)
        await asyncio.sleep(DRAIN_SECONDS)
        self._loop.remove_reader(self._socket)
        while self._accept():
            pass
        self._socket.close()
        if self._connecting:
            await asyncio.wait(self._connecting, timeout=self._limits.header_seconds)

    def close(self) -> None:
        """End the checks, after all connections have ended."""
        if self._checks is not None:
            self._checks.cancel()

    def _accept(self) -> bool:
        """Accept waiting connections. Return True if more may wait."""
        for _ in range(BATCH):
            try:
                accepted, peer = self._socket.accept()
            except (BlockingIOError, InterruptedError):
                return False
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    self._pause()
                    return False
                continue  # this connection is gone already (ECONNABORTED)
            try:
                place = self._table.enter(str(peer[0]))
            except Refused as refused:
                self._refused(refused.code)
                _answer_and_close(accepted, refused, plain=self._tls is None)
                continue
            task = self._loop.create_task(self._connect(accepted, place))
            place.end = partial(_cancel, task)
            self._connecting.add(task)
            task.add_done_callback(partial(self._connected, accepted, place))
        return True

    def _pause(self) -> None:
        """Stop accepting for a moment. Otherwise the event loop would spin on the same error."""
        self._loop.remove_reader(self._socket)
        self._loop.call_later(PAUSE_SECONDS, lambda: self._socket.fileno() >= 0 and self._loop.add_reader(self._socket, self._accept))

    async def _connect(self, accepted: socket.socket, place: Place) -> None:
        options = {} if self._tls is None else {
            "ssl": self._tls, "ssl_handshake_timeout": self._limits.header_seconds, "ssl_shutdown_timeout": SHUTDOWN_SECONDS,
        }  # fmt: skip
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio does not set it here: each answer would take 40 ms
        await self._loop.connect_accepted_socket(lambda: self._protocol(place), accepted, **options)  # type: ignore[arg-type]

    def _connected(self, accepted: socket.socket, place: Place, task: asyncio.Task[None]) -> None:
        """Close a socket whose connection gave way or whose handshake failed. A cancelled task may not even have begun."""
        self._connecting.discard(task)
        error = None if task.cancelled() else task.exception()
        if task.cancelled() or error:
            self._table.leave(place)
            accepted.close()
        if error and not isinstance(error, OSError):  # `ssl.SSLError` is an OSError
            self._loop.call_exception_handler({"message": "a connection could not be started", "exception": error})

    def _protocol(self, place: Place) -> ClientConnection:
        server = self._server
        return ClientConnection(
            limits=self._limits, table=self._table, place=place, refused=self._refused, config=server.config,
            server_state=server.server_state, app_state=server.lifespan.state, _loop=self._loop,
        )  # fmt: skip

    def _check(self) -> None:
        now = self._loop.time()
        for connection in list(self._server.server_state.connections):
            assert isinstance(connection, ClientConnection)
            connection.check(now)
        self._checks = self._loop.call_later(CHECK_SECONDS, self._check)


class _Instruction(ctypes.Structure):
    """One instruction of a classic BPF program (Linux, linux/filter.h)."""

    _fields_ = (("code", ctypes.c_ushort), ("if_true", ctypes.c_ubyte), ("if_false", ctypes.c_ubyte), ("value", ctypes.c_uint32))


SO_ATTACH_FILTER = 26  # Linux; the module `socket` does not name it
IGNORE_NEW_CLIENTS = (_Instruction * 5)(
    _Instruction(0x30, 0, 0, 13),  # load the flags of the TCP header
    _Instruction(0x54, 0, 0, 0x12),  # keep SYN and ACK
    _Instruction(0x15, 0, 1, 0x02),  # SYN alone: a new client
    _Instruction(0x06, 0, 0, 0),  # drop
    _Instruction(0x06, 0, 0, 0xFFFFFFFF),  # pass
)


def _ignore_new_clients(listening: socket.socket) -> None:
    """Let the kernel drop the first packet of new connections. The client sends it again after 1 s and is refused then.

    Without it, a connection that the kernel completes between the last `accept` and `close` is reset: 4 of 565,000 in 100 stops
    under load, 0 of 566,000 with it. A system without such filters keeps this gap.
    """
    with contextlib.suppress(OSError):
        program = struct.pack("HL", len(IGNORE_NEW_CLIENTS), ctypes.addressof(IGNORE_NEW_CLIENTS))
        listening.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()


def connection_limits(settings: ServeSettings) -> ConnectionLimits:
    """Return the limits of a connection from the settings of the gateway."""
    return ConnectionLimits(
        header_seconds=settings.header_seconds, header_bytes=settings.header_bytes, header_fields=settings.header_fields,
        idle_seconds=settings.idle_seconds, send_seconds=settings.send_seconds, body_bytes=settings.body_bytes,
        request_seconds=settings.body_seconds + settings.deadline_seconds + settings.send_seconds,
    )  # fmt: skip


def _answer_and_close(accepted: socket.socket, refused: Refused, *, plain: bool) -> None:
    """Send the refusal if the socket takes it without waiting, and close the connection.

    Args:
        plain: the connection is not encrypted.
    """
    with contextlib.suppress(OSError):
        if plain:
            accepted.setblocking(False)
            accepted.send(raw_response(refused))
            accepted.shutdown(socket.SHUT_WR)
            accepted.recv(65536)  # what the client has sent: closing with unread bytes would reset the connection
    accepted.close()
