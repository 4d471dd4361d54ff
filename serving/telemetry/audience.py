"""Active users, session lengths and feedback, and their Prometheus series (MON-1)."""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from robo_poet.settings.serve import TelemetrySettings

DAY_SECONDS = 86_400.0


class Sessions:
    """A record of the users of the last day and of their sessions. A session ends after more than `gap` seconds without a request.

    - At most `limit` users are kept. One more evicts the least recently active user and ends that user's session.
    - A time before the latest one is treated as the latest one.
    """

    def __init__(self, gap: float, limit: int) -> None:
        self._gap, self._limit = gap, limit
        self._now = float("-inf")
        self._last: OrderedDict[str, float] = OrderedDict()  # user → last request, oldest first
        self._open: OrderedDict[str, tuple[float, float]] = OrderedDict()  # user → (first, last request), oldest first

    def __len__(self) -> int:
        """Return the number of users kept."""
        return len(self._last)

    def record(self, user: str, now: float) -> list[float]:
        """Record activity of `user` at `now` (seconds). Returns the lengths (seconds) of the sessions that ended since the last call."""
        ended = self.pop_ended(now)
        began, _ = self._open.pop(user, (self._now, self._now))
        self._open[user] = began, self._now
        self._last.pop(user, None)
        self._last[user] = self._now
        if len(self._last) > self._limit:
            evicted, _ = self._last.popitem(last=False)
            if evicted in self._open:
                ended.append(_length(self._open.pop(evicted)))
        return ended

    def pop_ended(self, now: float) -> list[float]:
        """Return the lengths (seconds) of the sessions that ended since the last call."""
        self._now = max(self._now, now)
        return list(self._expire())

    def count_active(self, window: float, now: float) -> int:
        """Return the number of distinct users in the last `window` seconds, at most one day."""
        self._now = max(self._now, now)
        count = 0
        for last in reversed(self._last.values()):
            if last <= self._now - min(window, DAY_SECONDS):
                break
            count += 1
        return count

    def _expire(self) -> Iterator[float]:
        while self._open and next(iter(self._open.values()))[1] < self._now - self._gap:
            yield _length(self._open.popitem(last=False)[1])
        while self._last and next(iter(self._last.values())) <= self._now - max(DAY_SECONDS, self._gap):
            self._last.popitem(last=False)


def _length(session: tuple[float, float]) -> float:
    return session[1] - session[0]


WINDOWS = {"5m": 300.0, "24h": DAY_SECONDS}
MINUTES = (0, 1, 2, 5, 10, 20, 30, 60, 120, 240, 480)


class AudienceSeries(Collector):
    """A collector of active users, sessions and feedback.

    It covers one process: if replicas share users, the sum over replicas counts some users twice.
    """

    def __init__(self, registry: CollectorRegistry, settings: TelemetrySettings) -> None:
        self._sessions = Sessions(settings.session_gap_seconds, settings.users)
        self._lock = threading.Lock()
        self.length = Histogram(
            "robo_poet_session_duration_seconds", "Time from the first to the last request of a session, in seconds.",
            buckets=[60 * minutes for minutes in MINUTES], registry=registry,
        )  # fmt: skip
        self.score = Histogram(
            "robo_poet_feedback_score", "Feedback ratings, 1 to 5.", ["version", "arm"], buckets=(1, 2, 3, 4, 5), registry=registry
        )
        self.thumbs = Counter(
            "robo_poet_feedback_thumbs_total", "Feedback thumbs, up or down.", ["version", "arm", "thumb"], registry=registry
        )
        registry.register(self)

    def record_request(self, user: str) -> None:
        """Record a request of `user`, a pseudonym."""
        with self._lock:
            ended = self._sessions.record(user, time.monotonic())
        for seconds in ended:
            self.length.observe(seconds)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily("robo_poet_active_users", "Distinct users in the window.", labels=["window"])
        now = time.monotonic()
        with self._lock:
            ended = self._sessions.pop_ended(now)
            for window, seconds in WINDOWS.items():
                family.add_metric([window], self._sessions.count_active(seconds, now))
        for seconds in ended:
            self.length.observe(seconds)
        yield family
