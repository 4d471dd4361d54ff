"""Loopback: addresses, Host headers, and requests that come from a program on this machine.

A loopback peer address is not enough. A reverse proxy on this machine sends the requests of others from a loopback address, and a web page
whose name resolves to 127.0.0.1 (DNS rebinding) lets the user's browser do it. Such requests show it in their headers.
"""

import re
from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,255})(?::\d{1,5})?")

# Headers that programs of this machine send. A proxy adds others: Forwarded, Via, X-Forwarded-*, X-Real-IP, CF-Connecting-IP,
# True-Client-IP, and each vendor has its own. So the list names what may be present, and an unknown header ends the privilege.
_OWN_HEADERS = frozenset((
    "host", "user-agent", "accept", "accept-charset", "accept-encoding", "accept-language", "authorization", "cache-control", "connection",
    "content-length", "content-type", "cookie", "dnt", "if-modified-since", "if-none-match", "keep-alive", "pragma", "priority",
    "upgrade-insecure-requests", "x-api-key", "x-prometheus-scrape-timeout-seconds", "x-request-id",
))  # fmt: skip
_OWN_PREFIX = "sec-"  # browsers, and no program behind them: the prefix is forbidden to scripts


def is_loopback(host: str) -> bool:
    """Return True for `localhost` and for loopback IP addresses (127.0.0.0/8, ::1, ::ffff:127.0.0.0/104)."""
    try:
        return _unmapped(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def names_loopback(hosts: Collection[str]) -> bool:
    """Return True if there is exactly one Host header, and it names this machine: `localhost`, 127.0.0.0/8 or [::1], with or without port.

    Args:
        hosts: the values of all Host headers of a request.
    """
    if len(hosts) != 1:
        return False
    match = _HOST.fullmatch(next(iter(hosts)))
    return match is not None and is_loopback(match[1].strip("[]"))


def is_local(peer: str, headers: Iterable[tuple[str, str]], http_version: str, proxies: Iterable[IPv4Network | IPv6Network] = ()) -> bool:
    """Return True if a program on this machine sent the request for itself, and not for another machine.

    A proxy that adds no header at all and sends a loopback Host in HTTP/1.1 cannot be distinguished from such a program.

    Args:
        peer: IP address of the connection's other end.
        headers: (lower-case name, value) of all headers.
        http_version: `1.0` or `1.1`. Old proxies send 1.0 (the default of nginx before 1.29.7).
        proxies: networks of known proxies, which never count as local.
    """
    pairs = list(headers)
    if not _is_loopback_address(peer) or http_version == "1.0" or any(_unmapped(peer) in network for network in proxies):
        return False
    if any(name not in _OWN_HEADERS and not name.startswith(_OWN_PREFIX) for name, _ in pairs):
        return False
    if any(name == "sec-fetch-site" and value not in ("none", "same-origin") for name, value in pairs):  # a page of another site asks
        return False
    return names_loopback([value for name, value in pairs if name == "host"])


def _is_loopback_address(address: str) -> bool:
    try:
        return _unmapped(address).is_loopback
    except ValueError:
        return False


def _unmapped(address: str) -> IPv4Address | IPv6Address:
    parsed = ip_address(address)
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed
