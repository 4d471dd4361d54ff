import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from serving.gateway.backend.model_client import ModelClient, VersionGone
from serving.refusal import Refused

INPUTS = {"prompt": np.asarray([[2, 5]], np.int32)}


async def ask(client: ModelClient, seconds: float = 5) -> object:
    try:
        return await client.predict(3, "generate", INPUTS, time.monotonic() + seconds, "id-1")
    finally:
        await client.close()


def predict(client: ModelClient, seconds: float = 5) -> object:
    return asyncio.run(ask(client, seconds))


def predicted(answer: Callable[[web.Request, bytes], web.Response]) -> object:
    """Return the result of a prediction by a model server with this handler."""

    async def handle(request: web.Request) -> web.Response:
        return answer(request, await request.read())

    async def call() -> object:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handle)
        async with TestServer(app) as server:
            return await ask(ModelClient(str(server.make_url("")).rstrip("/"), "m", 64))

    return asyncio.run(call())


def answering(status: int, content: str, headers: Mapping[str, str] | None = None) -> object:
    return predicted(lambda request, body: web.Response(status=status, text=content, headers=headers))


def test_a_prediction_calls_the_requested_version() -> None:
    seen: list[tuple[web.Request, bytes]] = []

    def answer(request: web.Request, body: bytes) -> web.Response:
        seen.append((request, body))
        return web.json_response({"outputs": {"tokens": [[5]]}})

    assert predicted(answer) == {"tokens": [[5]]}
    [(request, body)] = seen
    assert (request.method, request.path) == ("POST", "/v1/models/m/versions/3:predict")
    assert body == b'{"signature_name": "generate", "inputs": {"prompt": [[2, 5]]}}'
    assert 4000 < int(request.headers["x-deadline-ms"]) <= 5000 and request.headers["x-request-id"] == "id-1"


def test_an_unloaded_version_raises_version_gone() -> None:
    with pytest.raises(VersionGone):
        answering(404, "{}")


@pytest.mark.parametrize(
    ("status", "response_headers", "retry_after"),
    [
        (503, {"Retry-After": "9"}, "9"),
        (429, {}, "1"),
        (503, {"Retry-After": "Wed, 21 Oct 2026"}, "1"),
    ],
)
def test_an_overloaded_model_server_is_a_503_error_with_retry_after(
    status: int, response_headers: dict[str, str], retry_after: str
) -> None:
    with pytest.raises(Refused) as refused:
        answering(status, "{}", response_headers)
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, retry_after)


def test_after_the_deadline_no_call_is_sent() -> None:
    with pytest.raises(Refused) as refused:
        predict(ModelClient("http://127.0.0.1:9", "m", 64), seconds=0)
    assert refused.value.status == 504


@pytest.mark.parametrize(
    ("status", "content", "headers", "expected_status"),
    [
        (500, "a secret of the inside", {}, 502),
        (200, "no JSON", {}, 502),
        (200, "[" * 100_000, {}, 502),
        (200, '{"outputs": [1]}', {}, 502),
        (302, "", {"Location": "/elsewhere"}, 502),
        (504, "", {}, 504),
    ],
)
def test_an_error_or_invalid_response_hides_its_content(status: int, content: str, headers: dict[str, str], expected_status: int) -> None:
    with pytest.raises(Refused) as refused:
        answering(status, content, headers)
    assert refused.value.status == expected_status and "secret" not in refused.value.message


def test_a_call_without_a_response_ends_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Refused) as refused:
        start = time.monotonic()
        predict(ModelClient(f"http://127.0.0.1:{silent.getsockname()[1]}", "m", 64), seconds=0.3)
    assert refused.value.status == 504 and time.monotonic() - start < 3


def test_an_unreachable_model_server_is_a_503_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    client, lost = ModelClient(f"http://127.0.0.1:{port}", "m", 64), list[bool]()
    client.lost = lambda: lost.append(True)
    with pytest.raises(Refused) as refused:
        predict(client)
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "1") and lost == [True]


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"])
@pytest.mark.parametrize("reset", [False, True])
def test_a_model_server_that_dies_during_a_call_is_a_503_error(sent: bytes, reset: bool) -> None:
    """The server sends a part of the response, closes its connection and its port."""

    def serve(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, server:
            connection.recv(65536)
            connection.sendall(sent)
            if reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    server = socket.create_server(("127.0.0.1", 0))
    client = ModelClient(f"http://127.0.0.1:{server.getsockname()[1]}", "m", 64)
    thread = threading.Thread(target=serve, args=(server,))
    thread.start()
    with pytest.raises(Refused) as refused:
        predict(client)
    thread.join()
    assert (refused.value.status, refused.value.code) == (503, "model_unavailable")


@pytest.mark.parametrize("failures", [1, 2])
def test_a_call_on_a_closed_connection_is_retried_once(failures: int) -> None:
    """The server closes the first `failures` connections without a response, like a server that ends a kept connection."""
    body = b'{"outputs": {"a": [1]}}'

    def serve(server: socket.socket) -> None:
        for number in range(failures + 1):
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                if number >= failures:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        client = ModelClient(f"http://127.0.0.1:{server.getsockname()[1]}", "m", 64)
        if failures == 1:
            assert predict(client) == {"a": [1]}
        else:
            with pytest.raises(Refused) as refused:
                predict(client)
            assert refused.value.status == 503
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_a_call_that_waits_too_long_is_a_504_error_and_is_not_sent() -> None:
    sent: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        sent.append(request.headers["x-request-id"])
        await asyncio.sleep(0.4)
        return web.json_response({"outputs": {"a": [1]}})

    async def run() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handle)
        async with TestServer(app) as server:
            client = ModelClient(str(server.make_url("")).rstrip("/"), "m", 1)
            first = asyncio.create_task(client.predict(3, "generate", INPUTS, time.monotonic() + 5, "id-1"))
            await asyncio.sleep(0.05)
            assert (client.calls, client.waiting) == (1, 0)
            late = asyncio.create_task(client.predict(3, "generate", INPUTS, time.monotonic() + 0.1, "id-2"))
            await asyncio.sleep(0.05)
            assert (client.calls, client.waiting) == (2, 1)
            with pytest.raises(Refused) as refused:
                await late
            assert refused.value.status == 504 and await first == {"a": [1]}
            await client.close()

    asyncio.run(run())
    assert sent == ["id-1"]
