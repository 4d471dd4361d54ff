"""Prometheus series of users: active users, session lengths and feedback (MON-1)."""

import threading
import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from robo_poet.settings.telemetry import TelemetrySettings
from serving.telemetry.sessions import Sessions

WINDOWS = {"5m": 300.0, "24h": 86_400.0}
MINUTES = (0, 1, 2, 5, 10, 20, 30, 60, 120, 240, 480)


class AudienceSeries(Collector):
    """A collector of active users, sessions and feedback.

    It covers one process: if replicas share users, the sum over replicas counts some users twice.
    """

    def __init__(self, registry: CollectorRegistry, settings: TelemetrySettings) -> None:
        self._sessions = Sessions(settings.session_gap_seconds, settings.users)
        self._lock = threading.Lock()
        self.length = Histogram(
            "robo_poet_session_duration_seconds", "From a user's first to last request of a session, seen when it has ended.",
            buckets=[60 * minutes for minutes in MINUTES], registry=registry,
        )  # fmt: skip
        self.score = Histogram(
            "robo_poet_feedback_score", "Ratings, 1 to 5.", ["version", "arm"], buckets=(1, 2, 3, 4, 5), registry=registry
        )
        self.thumbs = Counter("robo_poet_feedback_thumbs_total", "Thumbs, up and down.", ["version", "arm", "thumb"], registry=registry)
        registry.register(self)

    def seen(self, user: str) -> None:
        """Record a request of `user`, a pseudonym."""
        with self._lock:
            ended = self._sessions.seen(user, time.monotonic())
        for seconds in ended:
            self.length.observe(seconds)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily("robo_poet_active_users", "Distinct users within the window.", labels=["window"])
        now = time.monotonic()
        with self._lock:
            ended = self._sessions.ended(now)
            for window, seconds in WINDOWS.items():
                family.add_metric([window], self._sessions.active(seconds, now))
        for seconds in ended:
            self.length.observe(seconds)
        yield family
