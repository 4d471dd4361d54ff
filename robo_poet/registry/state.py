"""What the log amounts to: versions and their stages. Pure: the same entries give the same state, everywhere and always (REG-1)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from robo_poet.registry.entry import Entry, Statement
from robo_poet.registry.errors import Corrupt, IllegalMove, NoSuchVersion


class Stage(StrEnum):
    """Where a version stands. At most one is canary and at most one champion."""

    CANDIDATE = "candidate"
    CANARY = "canary"
    CHAMPION = "champion"
    ARCHIVED = "archived"
    REJECTED = "rejected"


class Action(StrEnum):
    """What can be done to a version."""

    REGISTER = "register"
    START_CANARY = "start_canary"
    PROMOTE = "promote"
    ARCHIVE = "archive"
    REJECT = "reject"
    OVERRIDE = "override"


# Every legal move. Whoever held the stage of canary or champion before is archived by the same entry.
MOVES: Mapping[tuple[Action, Stage], Stage] = {
    (Action.START_CANARY, Stage.CANDIDATE): Stage.CANARY,
    (Action.PROMOTE, Stage.CANDIDATE): Stage.CHAMPION,  # only while there is no champion to compare it with
    (Action.PROMOTE, Stage.CANARY): Stage.CHAMPION,
    (Action.PROMOTE, Stage.ARCHIVED): Stage.CHAMPION,  # only a former champion: a roll-back
    (Action.ARCHIVE, Stage.CANDIDATE): Stage.ARCHIVED,
    (Action.ARCHIVE, Stage.CANARY): Stage.ARCHIVED,
    (Action.ARCHIVE, Stage.CHAMPION): Stage.ARCHIVED,
    (Action.REJECT, Stage.CANDIDATE): Stage.REJECTED,
    (Action.REJECT, Stage.CANARY): Stage.REJECTED,
    (Action.OVERRIDE, Stage.REJECTED): Stage.CANDIDATE,  # a person answers for it by name; its card says so for ever
}
ENTRANCES = (Stage.CANDIDATE, Stage.REJECTED)  # the stages that a version can be registered in


@dataclass(frozen=True)
class Record:
    """One version in the state.

    Args:
        digest: SHA-256 of its manifest.
        identity: what makes it this version and no other; the same identity, registered again, is the same version.
        why: the reason of its last change of stage.
        was_champion: it has been champion once, or is.
    """

    number: int
    digest: str
    identity: str
    stage: Stage
    why: str
    was_champion: bool = False


@dataclass(frozen=True)
class State:
    """All versions, by number from 1."""

    records: tuple[Record, ...] = ()

    def record(self, number: int) -> Record:
        """The version `number`.

        Raises:
            NoSuchVersion: there is none.
        """
        if 1 <= number <= len(self.records):
            return self.records[number - 1]
        known = f"versions are 1 to {len(self.records)}" if self.records else "the registry is empty"
        raise NoSuchVersion(f"there is no version {number}", remedy=known)

    def with_identity(self, identity: str) -> Record | None:
        """The version of this identity, if there is one."""
        return next((record for record in self.records if record.identity == identity), None)

    def _holder(self, stage: Stage) -> int | None:
        return next((record.number for record in self.records if record.stage is stage), None)

    @property
    def champion(self) -> int | None:
        """The number of the champion."""
        return self._holder(Stage.CHAMPION)

    @property
    def canary(self) -> int | None:
        """The number of the canary."""
        return self._holder(Stage.CANARY)


def _register(state: State, statement: Statement) -> State:
    digest, stage = statement.details.get("digest"), statement.details.get("stage")
    number = len(state.records) + 1
    if statement.version != number:
        raise IllegalMove(f"the next version is {number}, not {statement.version}")
    if stage not in ENTRANCES:
        raise IllegalMove(f"a version is registered as {' or '.join(ENTRANCES)}, not as {stage}")
    if not isinstance(digest, str) or not digest:
        raise IllegalMove(f"version {number} has no digest")
    identity = str(statement.details.get("identity", digest))
    if twin := state.with_identity(identity):
        raise IllegalMove(f"the same content is version {twin.number}")
    return State((*state.records, Record(number, digest, identity, Stage(stage), statement.why)))


def _typed(action: Action) -> str:
    """An action as `robo-poet registry` has it."""
    return action.replace("_", "-")


def _way(state: State, action: Action, record: Record) -> str:
    """The commands that lead there from where the version stands, if any do."""
    n = record.number
    if action is Action.START_CANARY and record.stage is Stage.ARCHIVED and record.was_champion:
        return f"; promote {n} makes a former champion champion again at once"
    if action in (Action.PROMOTE, Action.START_CANARY) and record.stage is Stage.REJECTED:
        steps = [f"override {n} sets the gates' verdict aside"]
        steps += [f"start-canary {n}"] if action is Action.START_CANARY or state.champion is not None else []
        steps += [f"promote {n}"] if action is Action.PROMOTE else []
        return f"; {', then '.join(steps)}"
    return ""


def apply(state: State, statement: Statement) -> State:
    """The state after `statement`.

    Raises:
        IllegalMove: the version's stage, or another version's, forbids it.
        NoSuchVersion: it speaks of a version that does not exist.
    """
    if statement.action not in list(Action):
        raise IllegalMove(f"{statement.action} is no action", remedy=f"the actions are {', '.join(Action)}")
    action = Action(statement.action)
    if action is Action.REGISTER:
        return _register(state, statement)
    old = state.record(statement.version)
    new = MOVES.get((action, old.stage))
    if new is None:
        allowed = " or ".join(stage for act, stage in MOVES if act is action)
        remedy = f"{_typed(action)} takes a version that is {allowed}" + _way(state, action, old)
        raise IllegalMove(f"version {old.number} is {old.stage}", remedy=remedy)
    if action is Action.PROMOTE and old.stage is Stage.CANDIDATE and state.champion is not None:
        raise IllegalMove(
            f"version {old.number} was not tried beside champion {state.champion}",
            remedy=f"start it as canary first: start-canary {old.number}",
        )
    if action is Action.PROMOTE and old.stage is Stage.ARCHIVED and not old.was_champion:
        remedy = "only a former champion can come back; run the pipeline again for a new version"
        raise IllegalMove(f"version {old.number} is archived and was never champion", remedy=remedy)

    def after(record: Record) -> Record:
        if record.number == old.number:
            return replace(record, stage=new, why=statement.why, was_champion=record.was_champion or new is Stage.CHAMPION)
        if record.stage is new and new in (Stage.CANARY, Stage.CHAMPION):
            return replace(record, stage=Stage.ARCHIVED, why=f"superseded by version {old.number}")
        return record

    return State(tuple(map(after, state.records)))


def fold(entries: Iterable[Entry]) -> State:
    """The state that the whole log amounts to.

    Raises:
        Corrupt: names the first entry that no registry of ours would have written.
    """
    state = State()
    for entry in entries:
        try:
            state = apply(state, entry.statement)
        except (IllegalMove, NoSuchVersion) as error:
            raise Corrupt(f"an illegal move: {error}", where=f"log entry {entry.index}") from None
    return state
