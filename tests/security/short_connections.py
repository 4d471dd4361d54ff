"""Many short connections to a server that stops. Bounded in number and time, and only to this machine."""

import asyncio
import collections
import errno
from urllib.parse import urlsplit

MOST_CONNECTIONS, MOST_SECONDS = 2000, 20.0
KINDS = ("short", "late", "kept")  # a request at once; a request after a pause; requests on a kept connection
LATE_SECONDS = 0.05


async def short_connections(address: str, seconds: float, clients: int = 20, pause: float = 0.01) -> collections.Counter[str]:
    """Open connections for `seconds`, each with requests for /healthz. Return the number of results.

    Results: `answered` requests, `refused` connects, `closed` kept connections that ended between two requests, and the two faults:
    `reset` (the client had connected, and got a reset) and `unanswered` (the connection ended without an answer to a request).

    Raises:
        ValueError: not this machine, or more than `MOST_SECONDS`.
    """
    parts = urlsplit(address)
    if parts.hostname != "127.0.0.1" or parts.port is None or seconds > MOST_SECONDS:
        raise ValueError(f"at most {MOST_SECONDS:g} s to 127.0.0.1")
    results: collections.Counter[str] = collections.Counter()
    end = asyncio.get_running_loop().time() + seconds
    opened = 0

    async def client(kind: str) -> None:
        nonlocal opened
        while asyncio.get_running_loop().time() < end and opened < MOST_CONNECTIONS:
            opened += 1
            try:
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            except OSError as error:
                results["refused" if error.errno == errno.ECONNREFUSED else "reset"] += 1
                await asyncio.sleep(0.1)
                continue
            try:
                await _requests(kind, reader, writer, results, end)
            except (ConnectionResetError, BrokenPipeError):
                results["reset"] += 1
            finally:
                writer.transport.abort() if results["reset"] else writer.close()
            await asyncio.sleep(pause)

    await asyncio.gather(*(client(KINDS[number % len(KINDS)]) for number in range(clients)))
    return results


async def _requests(
    kind: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, results: collections.Counter[str], end: float
) -> None:  # fmt: skip
    for number in range(1_000_000 if kind == "kept" else 1):
        if asyncio.get_running_loop().time() > end:
            return
        if kind == "late":
            await asyncio.sleep(LATE_SECONDS)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        try:
            async with asyncio.timeout(40):
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
                await reader.readexactly(length)
        except asyncio.IncompleteReadError:
            results["unanswered"] += 1
            return
        results["answered"] += 1
        if b"connection: close" in head.lower():
            return
        await asyncio.sleep(0.005 * (number % 5))
