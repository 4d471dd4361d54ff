"""Loopback addresses and Host headers, and requests that a proxy or a web page of another site sends."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.loopback import is_local, is_loopback, names_loopback

CURL = [("host", "127.0.0.1:8080"), ("user-agent", "curl/8.5"), ("accept", "*/*")]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "localhost", "LOCALHOST"])
def test_loopback_addresses(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.0.0.1", "::ffff:10.0.0.1", "localhost.evil.com", "127.0.0.1.evil.com", "0x7f.1", "2130706433", ""]
)
def test_other_addresses_and_names(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1", "127.1.2.3:9", "[::1]", "[::1]:8080", "[::ffff:127.0.0.1]:1"])
def test_host_headers_of_this_machine(host: str) -> None:
    assert names_loopback([host])


@pytest.mark.parametrize(
    "hosts",
    [
        [], [""], ["evil.com"], ["evil.com:8080"], ["localhost.evil.com"], ["localhost@evil.com"], ["evil.com/localhost"], ["localhost:8080:1"], ["127.0.0.1."],
        ["localhost "], ["::1"], ["[::1"], ["127.0.0.1, evil.com"], ["0.0.0.0:8080"], ["localhost", "localhost"], ["localhost", "evil.com"], ["127.1"], ["localhost:"],
    ],
)  # fmt: skip
def test_other_host_headers(hosts: list[str]) -> None:
    assert not names_loopback(hosts)


def test_a_program_of_this_machine_is_local() -> None:
    prometheus = [*CURL, ("accept-encoding", "gzip"), ("x-prometheus-scrape-timeout-seconds", "10")]
    browser = [*CURL, ("sec-fetch-site", "none"), ("sec-ch-ua", '"Chromium"'), ("upgrade-insecure-requests", "1"), ("cookie", "a=1")]
    for headers in (CURL, prometheus, browser):
        assert is_local("127.0.0.1", headers, "1.1") and is_local("::1", headers, "1.1")


@pytest.mark.parametrize(
    "name",
    [
        "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "cf-connecting-ip",
        "cf-ray", "true-client-ip", "fastly-client-ip", "x-original-forwarded-for", "x-envoy-external-address", "x-azure-clientip", "x-amzn-trace-id", "proxy-connection",
        "x-some-new-vendor", "origin", "client-ip", "te", "x_forwarded_for",
    ],
)  # fmt: skip
def test_a_header_of_a_proxy_ends_the_privilege_even_if_it_is_empty(name: str) -> None:
    assert not is_local("127.0.0.1", [*CURL, (name, "")], "1.1")


@pytest.mark.parametrize(
    ("peer", "headers", "version"),
    [
        ("10.0.0.1", CURL, "1.1"),
        ("", CURL, "1.1"),
        ("localhost", CURL, "1.1"),  # a peer is an address, never a name
        ("127.0.0.1", CURL, "1.0"),
        ("127.0.0.1", [("host", "rebound.evil.com:8080"), *CURL[1:]], "1.1"),
        ("127.0.0.1", CURL[1:], "1.1"),
        ("127.0.0.1", [*CURL, ("host", "127.0.0.1")], "1.1"),
        ("127.0.0.1", [*CURL, ("sec-fetch-site", "cross-site")], "1.1"),
        ("127.0.0.1", [*CURL, ("sec-fetch-site", "same-site")], "1.1"),
    ],
)
def test_other_requests_are_not_local(peer: str, headers: list[tuple[str, str]], version: str) -> None:
    assert not is_local(peer, headers, version)


def test_a_trusted_proxy_is_not_local() -> None:
    networks = [ip_network("127.0.0.1/32")]
    assert not is_local("127.0.0.1", CURL, "1.1", networks) and not is_local("::ffff:127.0.0.1", CURL, "1.1", networks)
    assert is_local("127.0.0.2", CURL, "1.1", networks)


@given(st.text(max_size=40))
def test_no_host_header_raises(host: str) -> None:
    assert names_loopback([host]) in (True, False)
