"""The state of retraining, computed from the entries of its log. The same entries always give the same state (contract 15).

A request is one cause of one drift: (model, version, baseline, cause). It is made once, whatever the number of alerts about it.

    asked → open → started → running → finished
            ↑ │                 │
            │ └→ refused        └→ failed → open (the next attempt)
            └──────┘  asked again or approved, if a rule refused it and not a person
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

Action = Literal["asked", "approved", "refused", "started", "finished", "failed"]
ACTIONS: tuple[Action, ...] = ("asked", "approved", "refused", "started", "finished", "failed")
Status = Literal["open", "running", "refused", "finished"]


@dataclass(frozen=True, order=True)
class Key:
    """What identifies a retraining.

    Args:
        version: number of the version whose traffic drifts.
        baseline: first 16 hexadecimal digits of the digest of its baseline.
        cause: a member of `CAUSES` of the policy.
    """

    model: str
    version: int
    baseline: str
    cause: str


@dataclass(frozen=True)
class Event:
    """An entry of the log, without its place in the chain.

    Args:
        at: time in seconds since 1970.
        who, why: a person or the trigger, and the reason.
        rule: of `refused`: a rule refused it, not a person. A later alert can ask again.
        alert: of `asked`: start of the alert, as Alertmanager wrote it.
        window: of `asked`: digest of the snapshot of the window that drifted; empty if it is not known.
        run: of `started`, `finished` and `failed`: id of the run.
        hours: of `finished` and `failed`: hours of the run.
        made: of `finished`: number of the version that the run registered; 0 if there is none.
    """

    action: Action
    key: Key
    at: float
    who: str
    why: str
    rule: bool = False
    alert: str = ""
    window: str = ""
    run: str = ""
    hours: float = 0.0
    made: int = 0


@dataclass(frozen=True)
class Run:
    """A run of a request. `ended` is None while it runs; `hours` are known at its end."""

    id: str
    started: float
    ended: float | None = None
    hours: float = 0.0


@dataclass(frozen=True)
class Request:
    """One cause, and what was done about it.

    Attributes:
        number: from 1, in the order of the first alerts.
        asked: time of the latest alert that asked, in seconds since 1970.
        alert, window: of this alert, see `Event`.
        changed: time of the newest entry.
        who, why: of the newest entry.
        approved: who approved it; empty if nobody did.
        by_person: a person refused it, so no alert can ask again.
        runs: oldest first. All but the last have failed, and the last too if the request is open.
        forgiven: number of runs before the latest approval. They do not count as failed attempts: who approves gives new ones.
        made: number of the registered version; 0 if there is none.
    """

    number: int
    key: Key
    status: Status
    asked: float
    alert: str
    window: str
    changed: float
    who: str
    why: str
    approved: str = ""
    by_person: bool = False
    runs: tuple[Run, ...] = ()
    forgiven: int = 0
    made: int = 0

    @property
    def failed(self) -> int:
        """Return the number of failed attempts that count. The last run of a request that runs or has ended is not a failed attempt."""
        return len(self.runs) - self.forgiven - (self.status in ("running", "finished"))


@dataclass(frozen=True)
class State:
    """All requests, by number from 1. `length` is the number of entries that lead to this state."""

    requests: tuple[Request, ...] = ()
    length: int = 0

    def request(self, key: Key) -> Request | None:
        """Return the request with this key, None if there is none."""
        return next((request for request in self.requests if request.key == key), None)

    @property
    def running(self) -> Request | None:
        """Return the request whose run goes on, None if none does."""
        return next((request for request in self.requests if request.status == "running"), None)

    @property
    def open(self) -> list[Request]:
        """Return the requests that wait, oldest first."""
        return [request for request in self.requests if request.status == "open"]


def apply(state: State, event: Event) -> State:
    """Return the state after an event.

    Raises:
        ValueError: the state does not allow it; says why.
    """
    if event.action not in ACTIONS:
        raise ValueError(f"unknown action {event.action}")
    if not all(math.isfinite(number) and number >= 0 for number in (event.at, event.hours)):
        raise ValueError("a time or a duration is negative or not finite")
    request = state.request(event.key)
    changed = _asked(state, request, event) if event.action == "asked" else _changed(state, request, event)
    changed = replace(changed, changed=event.at, who=event.who, why=event.why)
    others = [other for other in state.requests if other.number != changed.number]
    return State(tuple(sorted((*others, changed), key=lambda one: one.number)), state.length + 1)


def fold(events: Iterable[Event], state: State | None = None) -> State:
    """Return the state after these events. Raises ValueError with the number of the first illegal one."""
    state = state or State()
    for event in events:
        try:
            state = apply(state, event)
        except ValueError as error:
            raise ValueError(f"entry {state.length + 1}: {error}") from None
    return state


def _asked(state: State, request: Request | None, event: Event) -> Request:
    if request is None:
        number = len(state.requests) + 1
        return Request(number, event.key, "open", event.at, event.alert, event.window, event.at, event.who, event.why)
    if request.status != "refused" or request.by_person:
        raise ValueError(f"request {request.number} exists, and it is {request.status}")
    return replace(request, status="open", asked=event.at, alert=event.alert, window=event.window, approved="")


def _changed(state: State, request: Request | None, event: Event) -> Request:
    if request is None:
        raise ValueError(f"{event.action}: there is no such request")
    needed = "running" if event.action in ("finished", "failed") else "open"
    refused_by_rule = request.status == "refused" and not request.by_person
    if request.status != needed and not (event.action == "approved" and refused_by_rule):
        raise ValueError(f"request {request.number} is {request.status}, not {needed}")
    if event.action == "approved":
        if request.approved and not refused_by_rule:
            raise ValueError(f"request {request.number} is approved already, by {request.approved}")
        return replace(request, status="open", approved=event.who, forgiven=len(request.runs))
    if event.action == "refused":
        return replace(request, status="refused", by_person=not event.rule)
    if event.action == "started":
        if state.running:
            raise ValueError(f"request {state.running.number} runs already")
        if not event.run or any(run.id == event.run for other in state.requests for run in other.runs):
            raise ValueError(f"the id of the run is empty or was used before: {event.run!r}")
        return replace(request, status="running", runs=(*request.runs, Run(event.run, event.at)))
    *earlier, last = request.runs
    if event.run != last.id:
        raise ValueError(f"request {request.number} has the run {last.id}, not {event.run}")
    runs = (*earlier, replace(last, ended=event.at, hours=event.hours))
    return replace(request, status="finished" if event.action == "finished" else "open", runs=runs, made=event.made)
