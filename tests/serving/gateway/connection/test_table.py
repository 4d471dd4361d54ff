"""Tests of the table of connections: its limits, and who gives way."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.gateway.connection.table import ConnectionTable, Place
from serving.refusal import Refused


def entered(table: ConnectionTable, ip: str, ended: list[Place], *, good_key: bool = False, idle_since: float | None = None) -> Place:
    place = table.enter(ip)
    place.end = lambda: ended.append(place)
    place.idle_since = idle_since
    if good_key:
        table.prove(place)
    return place


def test_the_oldest_without_a_good_key_gives_way() -> None:
    table, ended = ConnectionTable(3, 3), list[Place]()
    reader = entered(table, "192.0.2.1", ended, good_key=True)
    old, young = entered(table, "192.0.2.2", ended), entered(table, "192.0.2.3", ended)
    entered(table, "192.0.2.4", ended)
    assert ended == [old] and set(table) >= {reader, young} and len(table) == 3


def test_then_the_one_that_is_idle_for_the_longest_time() -> None:
    table, ended = ConnectionTable(3, 3), list[Place]()
    entered(table, "192.0.2.1", ended, good_key=True)  # busy
    entered(table, "192.0.2.2", ended, good_key=True, idle_since=20.0)
    longest = entered(table, "192.0.2.3", ended, good_key=True, idle_since=10.0)
    entered(table, "192.0.2.4", ended)
    assert ended == [longest]


def test_authenticated_requests_in_progress_are_never_ended() -> None:
    table, ended = ConnectionTable(2, 2), list[Place]()
    for ip in ("192.0.2.1", "192.0.2.2"):
        entered(table, ip, ended, good_key=True)
    with pytest.raises(Refused) as refused:
        table.enter("192.0.2.3")
    assert refused.value.status == 503 and refused.value.headers["Retry-After"] == "1" and not ended
    assert table.counts == {"opened": 2, "refused": 1, "gave_way": 0}


@pytest.mark.parametrize("address", ["2001:db8::{}", "::ffff:192.0.2.1", "192.0.2.1"])
def test_an_address_has_a_limit_and_only_its_own_connections_give_way(address: str) -> None:
    """An IPv6 /64 network counts as one address."""
    table, ended = ConnectionTable(100, 5), list[Place]()
    other = entered(table, "198.51.100.1", ended)
    hostile = [entered(table, address.format(number), ended) for number in range(1, 9)]
    assert ended == hostile[:3] and other in set(table) and len(table) == 6


def test_a_trusted_proxy_has_no_limit_and_never_gives_way() -> None:
    table, ended = ConnectionTable(5, 2, [ip_network("10.0.0.0/8")]), list[Place]()
    for _ in range(5):
        entered(table, "10.1.2.3", ended, idle_since=0.0)
    with pytest.raises(Refused):
        table.enter("192.0.2.1")
    assert not ended


@given(
    st.lists(st.tuples(st.sampled_from(["enter", "leave", "prove", "idle"]), st.integers(1, 4), st.integers(0, 30)), max_size=60),
    st.integers(1, 8), st.integers(1, 4),
)  # fmt: skip
def test_no_order_of_events_breaks_the_limits(events: list[tuple[str, int, int]], limit: int, per_address: int) -> None:
    """The limits hold; a busy connection with a good key is never ended; counts and tables agree, and end empty."""
    table, places, ended = ConnectionTable(limit, per_address), list[Place](), list[Place]()
    for time, (event, host, index) in enumerate(events):
        if event == "enter":
            protected = [place for place in table if place.has_good_key and place.idle_since is None]
            try:
                places.append(entered(table, f"192.0.2.{host}", ended))
            except Refused:
                assert len(table) == limit or sum(place.address == f"192.0.2.{host}" for place in table) == per_address
            assert all(place in set(table) for place in protected)
        elif places:
            place = places[index % len(places)]
            if event == "leave":
                table.leave(place)
            elif place in set(table):
                table.prove(place) if event == "prove" else setattr(place, "idle_since", float(time))
        assert len(table) <= limit
        assert all(sum(other.address == place.address for other in table) <= per_address for place in table)
    assert table.counts["gave_way"] == len(ended) and not {*ended} & {*table}
    for place in places:
        table.leave(place)
    assert len(table) == 0 and not table._by_address and not table._unproven
