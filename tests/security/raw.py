"""Raw HTTP/1.1 over a socket, as an attacker writes it. Only to this machine."""

import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.serving.gateway.running import Gateway


def connect(address: str, source: str = "127.0.0.1", receive_buffer: int = 0) -> socket.socket:
    """Open a TCP connection to a loopback address.

    Args:
        source: address of this side; any of 127.0.0.0/8, so that one machine can be many clients.
        receive_buffer: size of the kernel's receive buffer in bytes; 0 for the default.
    """
    parts = urlsplit(address)
    assert parts.hostname in ("127.0.0.1", "localhost") and parts.port
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    connection.settimeout(20)
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.bind((source, 0))
    connection.connect((parts.hostname, parts.port))
    return connection


@dataclass(frozen=True)
class RawResponse:
    """A response as it came. `status` is 0 if the connection was closed without one."""

    status: int
    head: bytes
    body: bytes


def exchange(gateway: Gateway | str, request: bytes, seconds: float = 10.0) -> list[RawResponse]:
    """Send bytes, and return all responses until the server closes the connection, or sends nothing for `seconds`."""
    address = gateway if isinstance(gateway, str) else gateway.address
    with connect(address) as connection:
        connection.sendall(request)
        connection.settimeout(seconds)
        return split(received(connection))


def received(connection: socket.socket, until: float | None = None) -> bytes:
    """Return the bytes until the connection ends, a read times out, or the time `until` (`time.monotonic`) has passed."""
    data = b""
    try:
        while (until is None or time.monotonic() < until) and (part := connection.recv(65536)):
            data += part
    except (TimeoutError, ConnectionResetError):
        pass
    return data


def split(data: bytes) -> list[RawResponse]:
    """Split the bytes of a connection into responses with a Content-Length.

    Raises:
        AssertionError: the bytes are not a sequence of whole responses.
    """
    responses = []
    while data:
        head, separator, rest = data.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        assert head.startswith(b"HTTP/1.1 ") and separator, data[:200]
        length = int(fields.get(b"content-length", b"0"))
        assert len(rest) >= length, data[:200]
        responses.append(RawResponse(int(head.split()[1]), head, rest[:length]))
        data = rest[length:]
    return responses
