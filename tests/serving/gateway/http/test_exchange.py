from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.gateway.http.exchange import client_address, networks

TRUSTED = networks(["10.0.0.0/8", "::1/128"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),  # the peer is not a trusted proxy, so its header is ignored
        ("10.0.0.2", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.2", ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),  # entries before the nearest untrusted hop may be forged
        ("10.0.0.2", ["6.6.6.6", "198.51.100.1, 10.0.0.9"], "198.51.100.1"),
        ("10.0.0.2", ["10.0.0.3, 10.0.0.9"], "10.0.0.3"),
        ("10.0.0.2", ["nonsense"], "10.0.0.2"),
        ("10.0.0.2", ["198.51.100.1, nonsense"], "10.0.0.2"),
        ("10.0.0.2", [], "10.0.0.2"),
        ("::ffff:10.0.0.2", ["2001:db8::5"], "2001:db8::5"),
        ("::1", ["2001:db8::5"], "2001:db8::5"),
        ("", ["198.51.100.1"], ""),
        ("10.0.0.2", ["203.0.113.7:51234"], "203.0.113.7"),  # proxies that append the port
        ("10.0.0.2", ["[2001:db8::5]:443"], "2001:db8::5"),
        ("10.0.0.2", ["[2001:db8::5]"], "2001:db8::5"),
        ("10.0.0.2", ['"[2001:db8::5]:443"'], "2001:db8::5"),
        ("10.0.0.2", ["6.6.6.6:1, 203.0.113.7:51234, 10.0.0.9:80"], "203.0.113.7"),
        ("10.0.0.2", ["203.0.113.7:port"], "10.0.0.2"),
        ("10.0.0.2", ["203.0.113.7:"], "10.0.0.2"),
        ("10.0.0.2", ["2001:db8::5:443x"], "10.0.0.2"),
    ],
)
def test_the_client_is_the_nearest_hop_that_is_not_a_trusted_proxy(peer: str, forwarded: list[str], client: str) -> None:
    assert client_address(peer, forwarded, TRUSTED) == client


def test_without_trusted_proxies_the_header_is_ignored() -> None:
    assert client_address("10.0.0.2", ["198.51.100.1"], networks([])) == "10.0.0.2"


@given(st.ip_addresses(v=4).map(str), st.lists(st.one_of(st.ip_addresses().map(str), st.text(max_size=8)), max_size=4))
def test_an_untrusted_peer_cannot_set_its_address(peer: str, forwarded: list[str]) -> None:
    if not any(ip_address(peer) in network for network in TRUSTED if network.version == 4):
        assert client_address(peer, forwarded, TRUSTED) == peer
