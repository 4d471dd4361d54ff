"""Counts of refused requests by client and error code, so that refusals cannot fill a log."""

from dataclasses import dataclass
from typing import NamedTuple

OTHER = "other"


class RefusalKey(NamedTuple):
    """What refused requests are counted by.

    Attributes:
        address: the client's network: an IPv4 address or an IPv6 /64; or `other`.
        user: the user, if the credential was read; else empty.
        credential: public id of the key or token, or empty.
        route: route name, from a fixed set.
        status: HTTP status.
        code: error code, from a fixed set.
    """

    address: str
    user: str
    credential: str
    route: str
    status: int
    code: str


@dataclass
class RefusalCount:
    """Requests of one key. `first` and `last` are times in seconds since 1970."""

    count: int
    first: float
    last: float


class RefusalCounts:
    """The counts of one interval. At most `limit` keys are kept. Requests of further keys are counted under the address `other`.

    The number of keys with the address `other` is bounded by the numbers of routes and codes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts: dict[RefusalKey, RefusalCount] = {}

    def __len__(self) -> int:
        """Return the number of keys."""
        return len(self._counts)

    def add(self, key: RefusalKey, now: float) -> RefusalKey | None:
        """Count a request. Return its key if it is the first one in the interval, else None.

        Args:
            now: seconds since 1970.

        Returns:
            The key under which the request is counted. The caller writes a line for the first request, which `drain` leaves out.
        """
        if key not in self._counts and len(self._counts) >= self._limit:
            key = key._replace(address=OTHER, user="", credential="")
        count = self._counts.get(key)
        if count is None:
            self._counts[key] = RefusalCount(0, now, now)
            return key
        if not count.count:
            count.first = now
        count.count, count.last = count.count + 1, now
        return None

    def drain(self) -> list[tuple[RefusalKey, RefusalCount]]:
        """Return the keys with more than one request, with the counts without the first request. Begin a new interval."""
        counts = [(key, count) for key, count in self._counts.items() if count.count]
        self._counts = {}
        return counts
