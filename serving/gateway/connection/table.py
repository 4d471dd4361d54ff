"""The open connections: a limit on their number, in all and per address, and the connections that give way when it is reached."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from serving.access.rate_limiter import network
from serving.gateway.http.exchange import Networks, in_networks
from serving.refusal import Refused


@dataclass(eq=False, slots=True)
class Place:
    """One open connection in the table.

    Attributes:
        address: the address under which it is counted; see `network`.
        exempt: the peer is a trusted proxy.
        end: ends the connection at once. It is called when the connection gives way.
        has_good_key: a request on this connection was authenticated, or the peer is exempt.
        idle_since: time when the last answer ended, in seconds of the event loop; None while a request is in progress.
    """

    address: str
    exempt: bool = False
    end: Callable[[], None] = lambda: None
    has_good_key: bool = False
    idle_since: float | None = None


class ConnectionTable:
    """The places for connections. If there is no free place, another connection gives way:

    1. the oldest connection that has not shown a good key;
    2. if all have shown one, the connection that is idle for the longest time.

    If all are busy with authenticated requests, the new connection is refused. The same rule holds within one address. So connections
    that are held open without a key never keep a new client out. A flood of new connections can still end one that has not sent its key
    yet.

    Args:
        limit: largest number of connections.
        per_address: largest number of connections of one IPv4 address or IPv6 /64 network.
        trusted: networks of trusted proxies. Their connections carry many clients, so they have no limit per address and never give way.
    """

    def __init__(self, limit: int, per_address: int, trusted: Networks = ()) -> None:
        self._limit, self._per_address, self._trusted = limit, per_address, trusted
        self._unproven: dict[Place, None] = {}  # oldest first; a dict removes any entry in constant time
        self._by_address: dict[str, dict[Place, None]] = {}
        self._places: dict[Place, None] = {}
        self.counts = {"opened": 0, "refused": 0, "gave_way": 0}

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Place]:
        return iter(self._places)

    def enter(self, ip: str) -> Place:
        """Return a place for a new connection. Another connection may be ended for it.

        Args:
            ip: address of the TCP peer.

        Raises:
            Refused: 503, because all places are taken by authenticated requests in progress.
        """
        place = Place(network(ip), exempt=in_networks(ip, self._trusted))
        place.has_good_key = place.exempt
        neighbours = self._by_address.get(place.address, {})
        if not place.exempt and len(neighbours) >= self._per_address:
            self._make_room(neighbours, "open from this address")
        elif len(self) >= self._limit:
            self._make_room(self._unproven or self._places, "open")
        self._places[place] = None
        if not place.exempt:
            self._unproven[place] = None
            self._by_address.setdefault(place.address, {})[place] = None
        self.counts["opened"] += 1
        return place

    def prove(self, place: Place) -> None:
        """Record that a request on this connection was authenticated."""
        place.has_good_key = True
        self._unproven.pop(place, None)

    def leave(self, place: Place) -> None:
        """Free the place of a connection that has ended. A second call has no effect."""
        self._places.pop(place, None)
        self._unproven.pop(place, None)
        neighbours = self._by_address.get(place.address, {})
        neighbours.pop(place, None)
        if not neighbours:
            self._by_address.pop(place.address, None)

    def _make_room(self, candidates: Iterable[Place], which: str) -> None:
        place = _gives_way(candidates)
        if place is None:
            self.counts["refused"] += 1
            raise Refused(503, "overloaded", f"too many connections are {which}; try again in 1 s", {"Retry-After": "1"})
        self.leave(place)
        self.counts["gave_way"] += 1
        place.end()


def _gives_way(candidates: Iterable[Place]) -> Place | None:
    """Return the connection that gives way to a new one, or None.

    Args:
        candidates: oldest first.
    """
    idle = []
    for place in candidates:
        if not place.has_good_key:
            return place
        if place.idle_since is not None and not place.exempt:
            idle.append(place)
    return min(idle, key=lambda place: place.idle_since or 0.0, default=None)
