"""A fuzzer over raw HTTP/1.1 bytes: whatever a client sends, the answers are whole, and nothing of the connection remains.

`make test` runs 50 cases, `make soak` 1,000. The cases are sequences of requests made from parts that are valid, slightly wrong or random.
"""

import json
import logging
import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from serving.gateway.connection.protocol import PIPELINED, ConnectionLimits
from serving.gateway.connection.table import ConnectionTable
from tests.security.raw import RawResponse, connect, received, split
from tests.serving.gateway.running import listening, wait_until

TABLE = ConnectionTable(50, 50)
LIMITS = ConnectionLimits(header_seconds=0.3, header_bytes=2048, idle_seconds=0.3, request_seconds=1, send_seconds=0.3, body_bytes=1024)
SECRET = b"hidden-in-a-trailer"

token = st.sampled_from([b"GET", b"POST", b"HEAD", b"OPTIONS", b"PUT", b"get", b"CONNECT", b"PRI", b"G\x00T", b"", b"\xff"])
target = st.sampled_from([b"/", b"/a?b=c", b"*", b"http://x/", b"x:1", b"/\xff", b"/%00", b"/" + b"a" * 3000, b"/ b", b""])
version = st.sampled_from([b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/1.1 ", b"", b"http/1.1"])
end = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\r\n"])
field = st.one_of(
    st.sampled_from([
        b"Host: x", b"Host: x", b"Host: y z", b"Host:", b"Content-Length: 4", b"Content-Length: -1", b"Content-Length: 4, 4",
        b"Content-Length: 99999999999999999999", b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked",
        b"transfer-encoding:\tchunked", b"Transfer-Encoding : chunked", b"Connection: close", b"Connection: keep-alive, Upgrade",
        b"Upgrade: websocket", b"Expect: 100-continue", b"Expect: x", b" folded", b"X: " + b"a" * 500, b"no colon", b"X: \x00", b": empty",
    ]),
    st.binary(max_size=20),
)  # fmt: skip
body = st.one_of(
    st.sampled_from([
        b"", b"abcd", b"4\r\nabcd\r\n0\r\n\r\n", b"4\r\nabcd\r\n0\r\nX-Secret: " + SECRET + b"\r\n\r\n", b"4;x=y\r\nabcd\r\n0\r\n\r\n",
        b"5\r\nabcd\r\n0\r\n\r\n", b"zz\r\n", b"FFFFFFFFFFFFFFFFF\r\n", b"4\nabcd\n0\n\n", b"a" * 5000,
    ]),
    st.binary(max_size=40),
)  # fmt: skip


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    line = b" ".join([draw(token), draw(target), draw(version)]) + draw(end)
    fields = b"".join(draw(field) + draw(end) for _ in range(draw(st.integers(0, 6))))
    return line + fields + draw(end) + draw(body)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the names and values of the headers and the size of the body."""
    size = 0
    while (message := await receive()).get("more_body") or message.get("body"):
        size += len(message["body"])
        if not message.get("more_body"):
            break
    text = json.dumps([[str(name), str(value)] for name, value in scope["headers"]] + [size]).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else text})


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with listening(echo, "off", LIMITS, TABLE) as address:
        yield address


def responses_of(data: bytes, sent: bytes) -> list[RawResponse]:
    data = data.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")
    if b"HEAD" in sent:  # the response to HEAD has a length but no body
        return [RawResponse(int(status), b"", b"") for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", data)]
    return split(data)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(requests(), min_size=1, max_size=8), st.integers(1, 400))
def test_any_bytes_get_whole_answers_and_leave_nothing(
    address: str, caplog: pytest.LogCaptureFixture, sent: list[bytes], piece: int
) -> None:
    data = b"".join(sent)
    with caplog.at_level(logging.WARNING), connect(address) as connection:
        connection.settimeout(5)
        try:
            for start in range(0, len(data), piece if len(data) < 40 * piece else len(data)):
                connection.sendall(data[start : start + (piece if len(data) < 40 * piece else len(data))])
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server has ended the connection
        answers = responses_of(received(connection), data)
    assert all(answer.status in (200, 400, 408, 413, 414, 417, 431, 501, 505) for answer in answers)
    assert len(answers) <= 1 + PIPELINED + len(sent)
    assert all(answer.status == 200 for answer in answers[:-1])  # an error ends the connection
    assert not any(SECRET in answer.body for answer in answers)
    assert not caplog.records  # no client can fill the log
    assert wait_until(lambda: len(TABLE) == 0)
