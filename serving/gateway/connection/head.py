"""Checks of the head of a request: its size and its framing (RFC 9112).

A request that two programs could read in two ways is refused, because a proxy in front may have read it in the other way.
"""

import re
from collections.abc import Sequence

from serving.refusal import Refused

Header = tuple[bytes, bytes]

URL_BYTES = 8192  # RFC 9112, section 3, recommends at least 8,000; the API's longest path has 60
_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_FORBIDDEN_IN_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_ONCE = (b"host", b"content-length", b"transfer-encoding", b"content-type", b"authorization", b"x-api-key", b"expect")


def headers_too_large(limit_bytes: int, limit_fields: int) -> Refused:
    """Return the refusal for a head that is too large: 431."""
    message = f"the request headers are larger than {limit_bytes} bytes or more than {limit_fields} fields; send fewer"
    return Refused(431, "headers_too_large", message)


def bad_request(reason: str) -> Refused:
    """Return the refusal for a request that is not valid HTTP: 400."""
    return Refused(400, "bad_request", f"the request is not valid HTTP: {reason}; see /openapi.json")


def check_head(version: str, url: bytes, headers: Sequence[Header]) -> None:
    """Check the head of a request that the parser has accepted.

    Args:
        version: HTTP version, such as `1.1`.
        url: request target.
        headers: names in lower case.

    Raises:
        Refused: 400 (framing), 414 (long URL), 417 (Expect), 501 (Transfer-Encoding) or 505 (version).
    """
    if version not in ("1.0", "1.1"):
        raise Refused(505, "bad_request", "the gateway supports HTTP/1.1 and HTTP/1.0")
    if len(url) > URL_BYTES:
        raise Refused(414, "url_too_long", f"the URL is longer than {URL_BYTES} bytes; send the text in the body")
    values: dict[bytes, bytes] = {}
    for name, value in headers:
        if _FORBIDDEN_IN_VALUE.search(value):
            raise bad_request("a header value has a control character")
        if name in _ONCE and name in values:
            raise bad_request(f"the header {name.decode('ascii')} is there twice")
        values[name] = value
    host = values.get(b"host")
    if host is None and version == "1.1":
        raise bad_request("the header host is missing")
    if host and not _HOST.fullmatch(host):
        raise bad_request("the header host is not a host name")
    coding = values.get(b"transfer-encoding")
    if coding is not None:
        if version == "1.0" or b"content-length" in values:
            raise bad_request("the length of the body is not clear")
        if coding.strip().lower() != b"chunked":
            raise Refused(501, "bad_request", "the gateway supports only Transfer-Encoding: chunked")
    if b"expect" in values and values[b"expect"].strip().lower() != b"100-continue":
        raise Refused(417, "bad_request", "the gateway supports only Expect: 100-continue")
