"""The log of retraining: an append-only hash chain of entries in a folder, like the log of the registry (contract 15).

Entry N is created exactly once with `os.link`, so a trigger that is killed loses no entry and writes none twice, and a person can approve a
request while the trigger runs. The entries are not signed: who can write this folder can start runs, but only the registry decides what is
deployed.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from robo_poet.errors import BadInput
from robo_poet.judges.retraining.state import ACTIONS, Event, Key, State, apply, fold
from robo_poet.registry.log.entry import Conflict, Corrupt, Entry, Lost, Statement
from robo_poet.registry.log.log import FolderLog, Log

ATTEMPTS = 1000  # each lost attempt is another writer's success, so this many mean a broken folder
IN_STATEMENT = ("action", "key", "who", "why")  # the other fields of an event are details of the statement
TYPES = {"at": float, "rule": bool, "alert": str, "window": str, "run": str, "hours": float, "made": int}


class RetrainingLog:
    """The log of one model. One object serves one thread at a time.

    Args:
        folder: created with the first entry.
    """

    def __init__(self, folder: Path, model: str) -> None:
        self.model = model
        self._log = Log(FolderLog(folder, "retraining trigger"))
        self._state, self._counts = State(), Counter[str]()
        self._newest: Entry | None = None

    def state(self) -> State:
        """Return the present state. Entries that were read before are not read again.

        Raises:
            Corrupt: names the first entry that was changed, is missing, or is not allowed.
            BadInput: the folder cannot be read.
        """
        entries = self._log.read()
        length = self._state.length
        if length and (len(entries) < length or entries[length - 1] != self._newest):  # the folder has another log now
            self._state, self._counts = State(), Counter()
        for entry in entries[self._state.length :]:
            where = self._log.where(entry.index)
            event = _event(entry.statement, where)
            if event.key.model != self.model:
                raise Corrupt(f"an entry of another model, {event.key.model}", where=where, remedy="restore the log from a backup")
            try:
                self._state = fold([event], self._state)
            except ValueError as error:
                raise Corrupt(f"an entry that is not allowed: {error}", where=where, remedy="restore the log from a backup") from None
            self._counts[event.action] += 1
            self._newest = entry
        return self._state

    def counts(self) -> dict[str, int]:
        """Return the number of entries by action, of all actions. Raises the errors of `state`."""
        self.state()
        return {action: self._counts[action] for action in ACTIONS}

    def record(self, decide: Callable[[State], Event | None]) -> Event | None:
        """Append the event that `decide` returns for the present state, and return it. None appends nothing.

        If another writer is first, read the log and decide again.

        Raises:
            Conflict: other writers were first too often.
            ValueError: the state does not allow the event.
            OSError: the entry cannot be written. Nothing is stored.
        """
        for _ in range(ATTEMPTS):
            state = self.state()
            event = decide(state)
            if event is None:
                return None
            apply(state, event)
            try:
                self._log.append(_statement(event), state.length + 1)
            except Lost:
                continue
            return event
        raise Conflict("other writers were first too often", where=self._log.where(1), remedy="try again")


def _statement(event: Event) -> Statement:
    details = {name: value for name, value in asdict(event).items() if name not in IN_STATEMENT}
    details |= {"baseline": event.key.baseline, "cause": event.key.cause}
    return Statement(event.key.model, event.action, event.key.version, event.who, event.why, details)


def _event(statement: Statement, where: str) -> Event:
    details: dict[str, Any] = dict(statement.details)
    try:
        key = Key(statement.model, statement.version, str(details.pop("baseline")), str(details.pop("cause")))
        if details.keys() != {field.name for field in fields(Event)} - set(IN_STATEMENT):
            raise ValueError("other fields")
        if not all(type(details[name]) is type_ for name, type_ in TYPES.items()):
            raise ValueError("a field of another type")
        if statement.action not in ACTIONS:
            raise ValueError(f"unknown action {statement.action}")
        return Event(statement.action, key, who=statement.who, why=statement.why, **details)
    except (KeyError, ValueError) as error:
        remedy = "a newer release may have written it; otherwise restore the log from a backup"
        raise Corrupt(f"not an entry of this log ({error})", where=where, remedy=remedy) from None


def find_request(state: State, number: int, where: str) -> Key:
    """Return the key of a request. Raises BadInput if there is no such request."""
    if 1 <= number <= len(state.requests):
        return state.requests[number - 1].key
    known = f"the requests are 1 to {len(state.requests)}" if state.requests else "no alert has asked for a retraining yet"
    raise BadInput(f"there is no request {number}", where=where, remedy=known)
