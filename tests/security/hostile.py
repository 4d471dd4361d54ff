"""Hostile connections of five kinds, from many loopback addresses. Bounded in number and time; each stops by itself.

`python -m tests.security.hostile ADDRESS KEY CONNECTIONS ADDRESSES SECONDS` is a process with the lowest priority, because a real attacker
does not compute on the server's machine. It prints the number of opened connections by kind as JSON.
"""

import asyncio
import collections
import contextlib
import json
import os
import socket
import sys
from dataclasses import dataclass, field
from urllib.parse import urlsplit

MOST_CONNECTIONS, MOST_SECONDS = 1000, 60.0
KINDS = ("slow_header", "slow_body", "refused_and_kept", "unread_stream", "pipelined")
BYTE_SECONDS = 0.5  # between two bytes of a slow client
LONG_STREAM = {"text": "the rose", "stream": True, "max_length": 512, "num_samples": 5, "token_probabilities": True}


@dataclass
class Attack:
    """An attack on a gateway on this machine.

    Args:
        key: an API key of the attacker, for streams and bodies that are read only after authentication.
        connections: connections held open at the same time; each that ends is opened again.
        addresses: number of source addresses, from 127.0.1.1 on.
        seconds: duration.

    Attributes:
        opened: connections that were opened, by kind.
        failed: connections that were not accepted or were ended by the gateway, by kind.

    Raises:
        ValueError: above the bounds, or not this machine.
    """

    address: str
    key: str
    connections: int
    addresses: int
    seconds: float
    opened: collections.Counter[str] = field(default_factory=collections.Counter)
    failed: collections.Counter[str] = field(default_factory=collections.Counter)

    def __post_init__(self) -> None:
        if self.connections > MOST_CONNECTIONS or self.seconds > MOST_SECONDS or urlsplit(self.address).hostname != "127.0.0.1":
            raise ValueError(f"at most {MOST_CONNECTIONS} connections for {MOST_SECONDS:g} s to 127.0.0.1")

    async def run(self) -> None:
        """Hold the connections for the duration, then close them."""
        tasks = [asyncio.create_task(self._hold(KINDS[number % len(KINDS)], number)) for number in range(self.connections)]
        await asyncio.sleep(self.seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _hold(self, kind: str, number: int) -> None:
        loop, parts = asyncio.get_running_loop(), urlsplit(self.address)
        while True:
            connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            connection.setblocking(False)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            try:
                connection.bind((f"127.0.1.{1 + number % self.addresses}", 0))
                await loop.sock_connect(connection, (parts.hostname, parts.port))
                self.opened[kind] += 1
                await self._attack(kind, connection)
            except OSError:
                self.failed[kind] += 1
            finally:
                connection.close()
            await asyncio.sleep(BYTE_SECONDS)

    async def _attack(self, kind: str, connection: socket.socket) -> None:
        """Send the first bytes, then what holds the connection. Raise OSError when the gateway has ended it."""
        loop = asyncio.get_running_loop()
        key = f"X-API-Key: {self.key}\r\n"
        post = "POST /v1/generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        stream = json.dumps(LONG_STREAM)
        first = {
            "slow_header": "GET / HTTP/1.1\r\nX: ",
            "slow_body": f"{post}{key}Content-Length: 60000\r\n\r\n",
            "refused_and_kept": f"{post}Content-Length: 60000\r\n\r\n",
            "unread_stream": f"{post}{key}Content-Length: {len(stream)}\r\n\r\n{stream}",
            "pipelined": f"{post}{key}Content-Length: {len(stream)}\r\n\r\n{stream}" * 50,
        }[kind]
        await loop.sock_sendall(connection, first.encode())
        reads = kind == "refused_and_kept"
        while True:
            await asyncio.sleep(BYTE_SECONDS)
            if reads:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.01):
                        if not await loop.sock_recv(connection, 4096):
                            raise ConnectionResetError
            if connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != 1:  # TCP_ESTABLISHED: the gateway has not ended it
                raise ConnectionResetError
            if kind not in ("unread_stream", "pipelined"):
                await loop.sock_sendall(connection, b"a")


if __name__ == "__main__":
    os.nice(19)
    address, key, *numbers = sys.argv[1:]
    attack = Attack(address, key, *map(int, numbers))
    asyncio.run(attack.run())
    print(json.dumps(attack.opened))
