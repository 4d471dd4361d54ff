"""Tests of the checks of a request's head, and of what the parser refuses before them."""

import pytest

from serving.gateway.connection.head import URL_BYTES, Header, check_head
from serving.refusal import Refused

HOST = (b"host", b"poems.example:8080")


def test_an_ordinary_head_is_accepted() -> None:
    check_head("1.1", b"/v1/generate?x=1", [HOST, (b"accept", b"*/*"), (b"accept", b"text/html"), (b"content-length", b"3")])
    check_head("1.0", b"/", [])
    check_head("1.1", b"/", [HOST, (b"transfer-encoding", b"Chunked "), (b"expect", b"100-Continue")])


@pytest.mark.parametrize("host", [b"", b"x", b"127.0.0.1", b"[::1]", b"[2001:db8::5]:443", b"a_b.example", b"xn--bcher-kva.example:80"])
def test_hosts_that_are_accepted(host: bytes) -> None:
    check_head("1.1", b"/", [(b"host", host)])


@pytest.mark.parametrize(
    ("version", "url", "headers", "status"),
    [
        ("0.9", b"/", [], 505),
        ("2.0", b"/", [HOST], 505),
        ("1.1", b"/" + b"a" * URL_BYTES, [HOST], 414),
        ("1.1", b"/", [], 400),
        ("1.1", b"/", [HOST, HOST], 400),
        ("1.0", b"/", [HOST, HOST], 400),
        ("1.1", b"/", [(b"host", b"a b")], 400),
        ("1.1", b"/", [(b"host", b"a, b")], 400),
        ("1.1", b"/", [(b"host", b"user@a")], 400),
        ("1.1", b"/", [(b"host", b"a/b")], 400),
        ("1.1", b"/", [HOST, (b"x", b"a\x00b")], 400),
        ("1.1", b"/", [HOST, (b"x", b"a\nb")], 400),
        ("1.1", b"/", [HOST, (b"transfer-encoding", b"gzip, chunked")], 501),
        ("1.1", b"/", [HOST, (b"transfer-encoding", b"chunked, chunked")], 501),
        ("1.1", b"/", [HOST, (b"transfer-encoding", b"identity")], 501),
        ("1.1", b"/", [HOST, (b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")], 400),
        ("1.1", b"/", [HOST, (b"transfer-encoding", b"chunked"), (b"content-length", b"5")], 400),
        ("1.0", b"/", [(b"transfer-encoding", b"chunked")], 400),
        ("1.1", b"/", [HOST, (b"content-length", b"1"), (b"content-length", b"1")], 400),
        ("1.1", b"/", [HOST, (b"x-api-key", b"a"), (b"x-api-key", b"b")], 400),
        ("1.1", b"/", [HOST, (b"authorization", b"a"), (b"authorization", b"a")], 400),
        ("1.1", b"/", [HOST, (b"expect", b"200-ok")], 417),
    ],
)
def test_odd_framing_is_refused(version: str, url: bytes, headers: list[Header], status: int) -> None:
    with pytest.raises(Refused) as refused:
        check_head(version, url, headers)
    assert refused.value.status == status
