import asyncio
import socket
import threading
import time

import httpx
import numpy as np
import pytest

from serving.gateway.model_client import ModelClient, VersionGone
from serving.refusal import Refused

INPUTS = {"prompt": np.asarray([[2, 5]], np.int32)}


def predict(client: ModelClient, seconds: float = 5) -> object:
    async def call() -> object:
        try:
            return await client.predict(3, "generate", INPUTS, time.monotonic() + seconds, "id-1")
        finally:
            await client.close()

    return asyncio.run(call())


def answering(status: int, content: str, **headers: str) -> ModelClient:
    return ModelClient("http://model", "m", httpx.MockTransport(lambda request: httpx.Response(status, text=content, headers=headers)))


def test_a_prediction_is_a_call_of_that_version() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"outputs": {"tokens": [[5]]}})

    assert predict(ModelClient("http://model", "m", httpx.MockTransport(answer))) == {"tokens": [[5]]}
    assert str(seen[0].url) == "http://model/v1/models/m/versions/3:predict"
    assert seen[0].content == b'{"signature_name": "generate", "inputs": {"prompt": [[2, 5]]}}'
    assert 4000 < int(seen[0].headers["x-deadline-ms"]) <= 5000 and seen[0].headers["x-request-id"] == "id-1"


def test_a_version_that_it_has_not_is_gone() -> None:
    with pytest.raises(VersionGone):
        predict(answering(404, "{}"))


@pytest.mark.parametrize(
    ("status", "given", "told"),
    [
        (503, {"Retry-After": "9"}, "9"),
        (429, {}, "1"),
        (503, {"Retry-After": "Wed, 21 Oct 2026"}, "1"),
    ],
)
def test_busy_is_passed_on_with_when_to_come_again(status: int, given: dict[str, str], told: str) -> None:
    with pytest.raises(Refused) as refused:
        predict(answering(status, "{}", **given))
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, told)


def test_a_deadline_that_is_over_calls_nobody() -> None:
    with pytest.raises(Refused) as refused:
        predict(answering(200, "{}"), seconds=0)
    assert refused.value.status == 504


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Refused) as refused:
        predict(ModelClient(f"http://127.0.0.1:{port}", "m"))
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "1")


@pytest.mark.parametrize("falls", [1, 2])
def test_a_kept_connection_that_ends_is_tried_once_more(falls: int) -> None:
    """A server that closes connections without an answer, `falls` times, as one does that stops keeping a connection."""
    body = b'{"outputs": {"a": [1]}}'

    def serve(server: socket.socket) -> None:
        for number in range(falls + 1):
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                if number >= falls:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        client = ModelClient(f"http://127.0.0.1:{server.getsockname()[1]}", "m")
        if falls == 1:
            assert predict(client) == {"a": [1]}
        else:
            with pytest.raises(Refused) as refused:
                predict(client)
            assert refused.value.status == 503
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)
