"""One request and its result: who sent it (also behind proxies), and what metrics and audit log record of it."""

import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.types import Scope

Networks = Sequence[IPv4Network | IPv6Network]


def networks(texts: Sequence[str]) -> Networks:
    """`10.0.0.0/8`, `192.0.2.7` … as networks."""
    return tuple(ip_network(text) for text in texts)


def client_address(peer: str, forwarded: Sequence[str], trusted: Networks) -> str:
    """The address nearest to us that is not a trusted proxy's: what lies farther out, anybody may have written.

    Args:
        peer: of the connection.
        forwarded: values of X-Forwarded-For, in the order of the headers.
        trusted: whose word is taken; none, and the peer is who asks.
    """
    if not trusted:
        return peer
    found = peer
    for hop in [*reversed([hop.strip() for value in forwarded for hop in value.split(",")])]:
        if not _among(found, trusted) or not _is_address(hop):
            break
        found = hop
    return found


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _among(text: str, trusted: Networks) -> bool:
    if not _is_address(text):
        return False
    address = ip_address(text)
    mapped = getattr(address, "ipv4_mapped", None)  # ::ffff:10.0.0.1, as a socket for both families says it
    return any((mapped or address) in network for network in trusted)


_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
KEY = "robo_poet.exchange"  # in ASGI's scope


@dataclass(slots=True)
class Exchange:
    """What is known of a request.

    Attributes:
        id: the reader's X-Request-ID, or ours.
        ip: who asks, behind the proxies that are trusted.
        route: name for metrics.
        began: `time.perf_counter` at the first byte.
        status: HTTP's; 499 is ours for a client who left.
    """

    id: str
    ip: str
    route: str
    began: float = field(default_factory=time.perf_counter)
    status: int = 0
    code: str = ""
    user: str = ""
    credential: str = ""
    completion: str = ""
    version: int | None = None
    arm: str = "none"
    rule: str = ""
    parameters: Mapping[str, float | bool] = field(default_factory=dict)
    prompt_tokens: int = 0
    tokens: int = 0
    prompt: str | None = None
    completions: Sequence[str] = ()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.perf_counter() - self.began


def exchange_of(scope: Scope) -> Exchange:
    """The request's, put there by `Front`."""
    found: Exchange = scope[KEY]
    return found


def request_id(given: str | None) -> str:
    """`given` if it is a name that can stand in a log (1 to 64 letters, digits, `.`, `_`, `-`), else a new one of 16 hexadecimal digits."""
    return given if given is not None and _ID.fullmatch(given) else secrets.token_hex(8)
