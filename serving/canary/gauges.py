"""The metrics of the canary controller: its looks, its errors and its newest move (MON-1)."""

from collections.abc import Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector

from robo_poet.registry.log.entry import Entry
from serving.canary.controller import WHO

LOOK = "robo_poet_canary_look_timestamp_seconds"
DECISION = "robo_poet_canary_decision_timestamp_seconds"


class ControllerSeries:
    """The metrics of one controller.

    All of them exist with 0 from the start: an alert must see a controller whose first look has failed, and `increase()` the first error.

    Attributes:
        registry: has all metrics.
        errors: counts the looks that ended with an error.
    """

    def __init__(self, model: str) -> None:
        self.registry = CollectorRegistry()
        errors = Counter("robo_poet_canary_errors", "Looks that ended with an error.", ["model"], registry=self.registry)
        self.errors = errors.labels(model)
        self._looked, self._decided = (
            Gauge(name, text, ["model"], registry=self.registry).labels(model)
            for name, text in (
                (LOOK, "Time of the last look without an error; 0 before the first one."),
                (DECISION, "Time of the newest move that a controller recorded; 0 if there is none."),
            )
        )
        ProcessCollector(registry=self.registry)

    def looked(self, now: float, entries: Sequence[Entry]) -> None:
        """Record a look without an error.

        Args:
            now: seconds since 1970.
            entries: the log of the registry. It has the newest move, also that of another controller.
        """
        self._looked.set(now)
        moves = (entry.statement.time for entry in reversed(entries) if entry.statement.who == WHO)
        if time := next(moves, ""):
            self._decided.set(datetime.fromisoformat(time).timestamp())
