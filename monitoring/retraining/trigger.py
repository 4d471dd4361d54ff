"""The trigger: answers alerts, starts the run of a request when the judge says so, and records how it ended (MON-4).

All its state is in the log, so a trigger that is killed at any point goes on where it stopped: each entry is written before its effect.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from monitoring.retraining.launch import Launcher
from monitoring.retraining.log import RetrainingLog
from robo_poet.judges.retraining.decision import Alert, Decision, Facts, decide, needs_person, next_step
from robo_poet.judges.retraining.policy import RetrainingPolicy
from robo_poet.judges.retraining.state import Event, Key, Request, State

log = logging.getLogger("monitoring.retraining")
WHO = "retraining trigger"


class Trigger:
    """The trigger of one model. Its methods can be called by several threads.

    Args:
        facts: reads what the registry says now.
        words: returns the command line of a run, from its request and its id.
        window: returns the digest of the window that drifted; empty if it is not known.
        now: seconds since 1970.
    """

    def __init__(
        self, log: RetrainingLog, launcher: Launcher, facts: Callable[[], Facts], words: Callable[[Request, str], Sequence[str]],
        policy: RetrainingPolicy, window: Callable[[Key], str] = lambda _: "", now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._log, self._launcher, self._facts, self._words = log, launcher, facts, words
        self._policy, self._window, self._now = policy, window, now
        self._lock = threading.Lock()

    @property
    def model(self) -> str:
        """Return the name of the model."""
        return self._log.model

    def state(self) -> State:
        """Return the present state. Raises the errors of the log."""
        with self._lock:
            return self._log.state()

    def counts(self) -> dict[str, int]:
        """Return the number of log entries by action. Raises the errors of the log."""
        with self._lock:
            return self._log.counts()

    def unapproved(self) -> int:
        """Return the number of requests that wait for a person."""
        return sum(needs_person(request, self._policy) for request in self.state().open)

    def receive(self, alerts: Sequence[Alert]) -> list[Decision]:
        """Answer each alert. When it returns, a new request is in the log, and no kill loses it. `look` starts the run.

        Raises:
            BadInput: the registry or the log cannot be read.
            OSError: the log cannot be written. The sender must send the alerts again.
        """
        with self._lock:
            facts = self._facts()
            return [self._receive(alert, facts) for alert in alerts]

    def _receive(self, alert: Alert, facts: Facts) -> Decision:
        decision: Decision

        def asked(state: State) -> Event | None:
            nonlocal decision
            now = self._now()
            decision = decide(state, alert, facts, self._policy, now)
            if decision.action in ("ignore", "duplicate"):
                return None
            window = self._window(alert.key)
            return Event("asked", alert.key, now, WHO, f"an alert that fires since {alert.starts_at}", alert=alert.starts_at, window=window)

        self._log.record(asked)
        return decision

    def look(self) -> list[str]:
        """Record the end of a run, and do the next step of each request that waits. Return a line for each change.

        Raises:
            BadInput: the registry or the log cannot be read.
            OSError: the log cannot be written.
        """
        with self._lock:
            lines = self._settle()
            if waiting := self._log.state().open:
                facts = self._facts()
                for request in waiting:
                    lines += self._step(request.key, facts)
            return lines

    def _settle(self) -> list[str]:
        request = self._log.state().running
        if request is None:
            return []
        run = request.runs[-1]
        standing = self._launcher.standing(run.id, run.started)
        if standing.state == "running":
            return []
        if standing.state == "not_begun":
            return self._launch(request, run.id)
        action = "finished" if standing.state == "finished" else "failed"
        return self._end(request, run.id, action == "finished", standing.why, standing.hours, standing.made)

    def _step(self, key: Key, facts: Facts) -> list[str]:
        def step(state: State) -> Event | None:
            request, now = state.request(key), self._now()
            if request is None or request.status != "open":  # a person has just refused it
                return None
            decision = next_step(state, request, facts, self._policy, now)
            why = decision.reasons[0]
            if decision.action == "refuse":
                return Event("refused", key, now, WHO, why, rule=True)
            return Event("started", key, now, WHO, why, run=new_run_id(now)) if decision.action == "start" else None

        event = self._log.record(step)
        request = self._log.state().request(key)
        if event is None or request is None:
            return []
        if event.action == "refused":
            return [f"{_name(request)} is refused: {event.why}"]
        return self._launch(request, event.run)

    def _launch(self, request: Request, run: str) -> list[str]:
        try:
            self._launcher.launch(run, self._words(request, run))
        except OSError as error:
            return self._end(request, run, False, f"the run cannot be started: {error.strerror or error}")
        return [f"{_name(request)}: the run {run} is started"]

    def _end(self, request: Request, run: str, finished: bool, why: str, hours: float = 0.0, made: int = 0) -> list[str]:
        event = Event("finished" if finished else "failed", request.key, self._now(), WHO, why, run=run, hours=hours)
        self._log.record(lambda _: replace(event, made=made) if finished else event)
        return [f"{_name(request)}: the run {run} {'has ended' if finished else 'failed'}: {why}"]


def new_run_id(now: float) -> str:
    """Return the id of a run that starts now; its form is that of `pipelines.run.record`."""
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%S.%f}"[:-3] + f"-{secrets.token_hex(2)}"


def decide_by_hand(log: RetrainingLog, key: Key, *, approve: bool, who: str, why: str, now: float) -> None:
    """Record that a person approves or refuses a request.

    Raises:
        ValueError: the request is not open, or is approved already.
    """
    log.record(lambda _: Event("approved" if approve else "refused", key, now, who, why))


def _name(request: Request) -> str:
    return f"request {request.number} ({request.key.model}/{request.key.version}, {request.key.cause})"
