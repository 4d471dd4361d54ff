import ssl

import aiohttp
import pytest

from serving.gateway.backend.tls import connection_trouble


@pytest.mark.parametrize(
    ("error", "tls", "reason"),
    [
        (
            aiohttp.ServerDisconnectedError(),
            True,
            "it closed the connection; it may refuse our client certificate (model_server_certificate)",
        ),
        (aiohttp.ClientOSError(104, "reset"), False, "it closed the connection without an answer; it may need an https address"),
        (TimeoutError(), True, None),
        (ValueError("not JSON"), False, None),
    ],
)
def test_the_reason_of_a_failed_call(error: Exception, tls: bool, reason: str | None) -> None:
    trouble = connection_trouble(error, tls=tls)
    assert (None if trouble is None else str(trouble)) == reason


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("WRONG_VERSION_NUMBER", "it does not use TLS"),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "it closed the connection; it may refuse"),
        ("OTHER", "TLS cannot be"),
    ],
)
def test_the_reason_of_openssl_is_found_behind_other_errors(reason: str, told: str) -> None:
    cause = ssl.SSLError(1, f"[SSL: {reason}] text with an address")
    cause.reason = reason
    outer = aiohttp.ClientError("outer")
    outer.__cause__ = cause
    assert str(connection_trouble(outer, tls=True)).startswith(told)
