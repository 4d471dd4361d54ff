"""The journal of a replay: its acts, what was awaited in each, and whether it happened."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

POLL_SECONDS = 0.25
MARKS = {"waiting": "·", "running": "▶", "done": "✓", "failed": "✗", "stopped": "■"}  # of the status of an act


class ActFailed(Exception):
    """Something that an act needs did not happen."""


@dataclass
class Event:
    """Something that was awaited.

    Attributes:
        text: what, as in "version 2 is promoted".
        training: a pipeline trains a model during the wait.
        began, ended: seconds since 1970; `ended` is 0 while it is awaited.
        result: what happened, in a line.
    """

    text: str
    began: float
    ended: float = 0.0
    result: str = ""
    training: bool = False


@dataclass
class Act:
    """A part of the story.

    Attributes:
        title, description: what the act shows, for people, before it happens.
        status: `failed` if an event did not happen in time, `stopped` if somebody stopped the replay.
    """

    title: str
    description: str
    status: Literal["waiting", "running", "done", "failed", "stopped"] = "waiting"
    began: float = 0.0
    ended: float = 0.0
    events: list[Event] = field(default_factory=list)


class Journal:
    """The acts in their order. A view reads them from another thread.

    Args:
        check: called while something is awaited; raises an exception if it cannot happen any more.
        on_change: called with each act and event when it begins and ends.

    Attributes:
        acts: all acts, also those that have not begun.
        began: time of the start, in seconds since 1970.
    """

    def __init__(self, acts: list[Act], check: Callable[[], None], on_change: Callable[[Act, Event | None], None]) -> None:
        self.acts, self.began, self._check, self._on_change = acts, time.time(), check, on_change
        self._number = -1

    @property
    def act(self) -> Act:
        """Return the present act."""
        return self.acts[self._number]

    def next_act(self) -> None:
        """End the present act, and begin the next one if there is one."""
        if self._number >= 0:
            self.act.status, self.act.ended = "done", time.time()
            self._on_change(self.act, None)
        if self._number + 1 < len(self.acts):
            self._number += 1
            self.act.status, self.act.began = "running", time.time()
            self._on_change(self.act, None)

    def wait(
        self, text: str, happened: Callable[[], Any], seconds: float, result: Callable[[Any], str] = lambda _: "", *, training: bool = False
    ) -> Any:
        """Wait until `happened` returns a true value, and return it.

        Args:
            text: what is awaited.
            result: returns a line about the value.
            training: a pipeline trains a model during the wait.

        Raises:
            ActFailed: it did not happen within `seconds`.
        """
        event = Event(text, time.time(), training=training)
        self.act.events.append(event)
        self._on_change(self.act, event)
        while not (value := happened()):
            self._check()
            if time.time() - event.began > seconds:
                raise ActFailed(f"{text}: it did not happen in {seconds:.0f} s")
            time.sleep(POLL_SECONDS)
        event.ended, event.result = time.time(), result(value)
        self._on_change(self.act, event)
        return value

    def expect(self, text: str, holds: bool, result: str) -> None:
        """Record something that is true or false now.

        Args:
            text: what is expected.
            result: what was found, in a line.

        Raises:
            ActFailed: it does not hold.
        """
        now = time.time()
        event = Event(text, now, now if holds else 0.0, result if holds else "")
        self.act.events.append(event)
        self._on_change(self.act, event)
        if not holds:
            raise ActFailed(f"this was expected: {text}; found: {result}")

    def end_early(self, status: Literal["failed", "stopped"], why: str) -> None:
        """Record that the present act failed, or that somebody stopped the replay."""
        act, now = self.act, time.time()
        act.status, act.ended = status, now
        if act.events and not act.events[-1].ended:
            act.events[-1].ended, act.events[-1].result = now, why
        else:
            act.events.append(Event(why, now, now))
        self._on_change(act, None)

    def as_json(self) -> list[dict[str, Any]]:
        """Return the acts."""
        return [asdict(act) for act in self.acts]


def clock(seconds: float) -> str:
    """Return a duration as minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
