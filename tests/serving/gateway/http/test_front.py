import pytest

from serving.gateway.http.front import SecurityHeaders
from tests.serving.gateway.running import Gateway


def test_a_header_of_the_response_is_not_replaced() -> None:
    added = SecurityHeaders(0).with_missing([(b"Content-Security-Policy", b"mine")], "http")
    assert [value for name, value in added if name.lower() == b"content-security-policy"] == [b"mine"]
    assert (b"x-content-type-options", b"nosniff") in added


def test_strict_transport_security_is_sent_on_https_only() -> None:
    assert (b"strict-transport-security", b"max-age=60") in SecurityHeaders(60).with_missing([], "https")
    assert not any(
        name == b"strict-transport-security"
        for headers in (SecurityHeaders(60).with_missing([], "http"), SecurityHeaders(0).with_missing([], "https"))
        for name, _ in headers
    )


@pytest.mark.parametrize("path", ["/", "/docs", "/healthz", "/nothing", "/v1/generate", "/playground/playground.js", "/openapi.json"])
def test_every_response_has_the_security_headers(staged: Gateway, path: str) -> None:
    headers = staged.http.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"] and "frame-ancestors 'none'" in headers["content-security-policy"]
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
    assert headers["cache-control"] in ("no-store", "no-cache")
