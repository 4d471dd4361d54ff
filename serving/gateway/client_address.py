"""Who asks, behind proxies. Pure."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

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
