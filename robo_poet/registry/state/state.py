"""The state of the registry: versions and their stages, computed from the log. The same entries always give the same state (REG-1)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from robo_poet.commands import command
from robo_poet.registry.log.entry import Action, Corrupt, Entry, IllegalMove, NoSuchVersion, Statement
from robo_poet.registry.state import rollout
from robo_poet.registry.state.record import ACCEPTED, REJECTED, Record, Stage, judged_again

__all__ = ["ENTRANCES", "MOVES", "Record", "Stage", "State", "apply", "fold"]

# Every legal move of a person or the canary judge. The same entry archives the previous canary or champion. Moves of the gates: `record`.
MOVES: Mapping[tuple[Action, Stage], Stage] = {
    (Action.START_CANARY, Stage.CANDIDATE): Stage.CANARY,
    (Action.PROMOTE, Stage.CANDIDATE): Stage.CHAMPION,  # only if there is no champion
    (Action.PROMOTE, Stage.CANARY): Stage.CHAMPION,
    (Action.PROMOTE, Stage.ARCHIVED): Stage.CHAMPION,  # only a former champion (roll-back)
    (Action.ARCHIVE, Stage.CANDIDATE): Stage.ARCHIVED,
    (Action.ARCHIVE, Stage.CANARY): Stage.ARCHIVED,
    (Action.ARCHIVE, Stage.CHAMPION): Stage.ARCHIVED,
    (Action.REJECT, Stage.CANDIDATE): Stage.REJECTED,
    (Action.REJECT, Stage.CANARY): Stage.REJECTED,
    (Action.OVERRIDE, Stage.REJECTED): Stage.CANDIDATE,  # a named person takes responsibility; the card shows the override permanently
    (Action.SET_SHARE, Stage.CANARY): Stage.CANARY,
    (Action.HOLD_CANARY, Stage.CANARY): Stage.CANARY,
    (Action.RESUME_CANARY, Stage.CANARY): Stage.CANARY,
    (Action.END_WATCH, Stage.CHAMPION): Stage.CHAMPION,
    (Action.SET_BASELINE, Stage.CHAMPION): Stage.CHAMPION,
}
ENTRANCES = (Stage.CANDIDATE, Stage.REJECTED)  # stages in which a version can be registered


@dataclass(frozen=True)
class State(rollout.Rollout):
    """All versions, by number from 1, and the exposure of the canary and of a former champion to users.

    Args:
        length: number of log entries that lead to this state.
        promoted: numbers of the promoted versions, in the order of the promotions.
        sources: addresses of the corpora whose versions belong to the model. Empty before the first registration.
    """

    records: tuple[Record, ...] = ()
    sources: tuple[str, ...] = ()
    promoted: tuple[int, ...] = ()
    length: int = 0

    def record(self, number: int) -> Record:
        """Return the version `number`.

        Raises:
            NoSuchVersion: no version has this number.
        """
        if 1 <= number <= len(self.records):
            return self.records[number - 1]
        known = f"versions are 1 to {len(self.records)}" if self.records else "the registry is empty"
        raise NoSuchVersion(f"there is no version {number}", remedy=known)

    def with_identity(self, *identities: str) -> Record | None:
        """Return the version with the first of these identities that a version has; None if there is none.

        Of several such versions, it is the latest. A purged version does not count: its content can come back.
        """
        kept = [record for record in reversed(self.records) if not record.purged]
        return next((record for identity in identities for record in kept if record.identity == identity), None)

    def _version_in_stage(self, stage: Stage) -> int | None:
        return next((record.number for record in self.records if record.stage is stage), None)

    @property
    def champion(self) -> int | None:
        """Return the number of the champion, None if there is none."""
        return self._version_in_stage(Stage.CHAMPION)

    @property
    def canary(self) -> int | None:
        """Return the number of the canary, None if there is none."""
        return self._version_in_stage(Stage.CANARY)

    @property
    def rollback_target(self) -> int | None:
        """Return the number of the last champion before the present one, to which a roll-back would return; None if there is none."""
        retired = (number for number in reversed(self.promoted) if self.record(number).stage is Stage.ARCHIVED)
        return next((number for number in retired if not self.record(number).purged), None)


def _purge(state: State, record: Record) -> State:
    if record.stage not in (Stage.ARCHIVED, Stage.REJECTED):
        raise IllegalMove(f"version {record.number} is {record.stage}", remedy="purge needs a version that is archived or rejected")
    if record.number == state.rollback_target:
        raise IllegalMove(f"version {record.number} is the version that a roll-back would return to", remedy="keep it")
    return replace(state, records=tuple(replace(r, purged=True) if r.number == record.number else r for r in state.records))


def _register(state: State, statement: Statement) -> State:
    digest, stage = statement.details.get("digest"), statement.details.get("stage")
    number = len(state.records) + 1
    if statement.version != number:
        raise IllegalMove(f"the next version is {number}, not {statement.version}")
    if stage not in ENTRANCES:
        raise IllegalMove(f"a version is registered as {' or '.join(ENTRANCES)}, not as {stage}")
    if not isinstance(digest, str) or not digest:
        raise IllegalMove(f"version {number} has no digest")
    identity, attestation = str(statement.details.get("identity", digest)), str(statement.details.get("attestation", ""))
    if twin := state.with_identity(identity):
        raise IllegalMove(f"the same content is already registered as version {twin.number}")
    verdict = ACCEPTED if stage == Stage.CANDIDATE else REJECTED
    record = Record(
        number, digest, identity, Stage(stage), statement.why, attestation=attestation, verdict=verdict, verdict_why=statement.why
    )
    return replace(state, records=(*state.records, record))


def _add_source(state: State, statement: Statement) -> State:
    source = statement.details.get("source")
    if not isinstance(source, str) or statement.version:
        raise IllegalMove("a statement about a source has the address of the source and version 0")
    if source in state.sources:
        raise IllegalMove(f"the source {source} is already a source of the model")
    return replace(state, sources=(*state.sources, source))


def _adopt(state: State, statement: Statement) -> State:
    """Return the state with the attestations of an adoption; see `robo_poet.registry.adoption`."""
    attestations = statement.details.get("attestations")
    numbers = {str(record.number) for record in state.records}
    if statement.version or not isinstance(attestations, dict) or not attestations.keys() <= numbers:
        raise IllegalMove("an adoption has version 0, and the attestations of existing versions")
    adopted = tuple(replace(r, attestation=str(attestations.get(str(r.number), ""))) for r in state.records)
    return replace(state, records=adopted)


def _command_name(action: Action) -> str:
    """Return the name of an action as a command of `robo-poet registry`."""
    return action.replace("_", "-")


def _command(action: Action, number: int, model: str) -> str:
    """Return the command that makes this change, as the user can type it."""
    if action is Action.OVERRIDE:
        return command(f"registry override {number} --model {model} --name 'your name' --why 'your reason'")
    if action is Action.START_CANARY:
        return command(f"registry start-canary {number} --model {model} --why 'your reason'")
    return command(f"registry promote {number} --model {model} --why 'your reason'")


def _next_commands(state: State, action: Action, record: Record, model: str) -> str:
    """Return the commands that make this action possible from the version's stage; "" if there are none."""
    if action is Action.START_CANARY and record.stage is Stage.ARCHIVED and record.was_champion:
        return f"; a former champion needs no canary, roll back to it: {_command(Action.PROMOTE, record.number, model)}"
    if action in (Action.PROMOTE, Action.START_CANARY) and record.stage is Stage.REJECTED:
        actions = [Action.OVERRIDE]
        actions += [Action.START_CANARY] if action is Action.START_CANARY or state.champion is not None else []
        actions += [Action.PROMOTE] if action is Action.PROMOTE else []
        return f"; to override the gates: {' && '.join(_command(step, record.number, model) for step in actions)}"
    return ""


def apply(state: State, statement: Statement) -> State:
    """Return the state after `statement`, the next entry of the log.

    Raises:
        IllegalMove: a stage, of this version or of another, does not allow it.
        NoSuchVersion: the statement's version does not exist.
    """
    if statement.action not in list(Action):
        raise IllegalMove(f"unknown action {statement.action}", remedy=f"the actions are {', '.join(Action)}")
    return replace(_apply(state, Action(statement.action), statement), length=state.length + 1)


def _apply(state: State, action: Action, statement: Statement) -> State:
    if action is Action.REGISTER:
        return _register(state, statement)
    if action is Action.ADD_SOURCE:
        return _add_source(state, statement)
    if action is Action.ADOPT:
        return _adopt(state, statement)
    old = state.record(statement.version)
    if old.purged:
        raise IllegalMove(f"the files of version {old.number} were purged", remedy="run the pipeline for a new version")
    if action is Action.PURGE:
        return _purge(state, old)
    if action is Action.JUDGE_AGAIN:
        judged = judged_again(old, statement)
        records = tuple(judged if record is old else record for record in state.records)
        return _expose(replace(state, records=records), state, action, statement)
    new = MOVES.get((action, old.stage))
    if new is None:
        allowed = " or ".join(stage for act, stage in MOVES if act is action)
        remedy = f"{_command_name(action)} needs a version that is {allowed}" + _next_commands(state, action, old, statement.model)
        raise IllegalMove(f"version {old.number} is {old.stage}", remedy=remedy)
    if action is Action.PROMOTE and old.stage is Stage.CANDIDATE and state.champion is not None:
        start = _command(Action.START_CANARY, old.number, statement.model)
        raise IllegalMove(
            f"version {old.number} was never canary, and version {state.champion} is champion",
            remedy=f"start it as canary first: {start}",
        )
    if action is Action.PROMOTE and old.stage is Stage.ARCHIVED and not old.was_champion:
        remedy = "only a former champion can be promoted again; run the pipeline for a new version"
        raise IllegalMove(f"version {old.number} is archived and was never champion", remedy=remedy)

    def after(record: Record) -> Record:
        if record.number == old.number:
            why = record.why if new is old.stage else statement.why
            return replace(
                record, stage=new, why=why, was_champion=record.was_champion or new is Stage.CHAMPION,
                overridden=record.overridden or action is Action.OVERRIDE, barred=action is Action.REJECT,
            )  # fmt: skip
        if record.stage is new and new is not old.stage and new in (Stage.CANARY, Stage.CHAMPION):
            return replace(record, stage=Stage.ARCHIVED, why=f"superseded by version {old.number}")
        return record

    promoted = (*state.promoted, old.number) if action is Action.PROMOTE else state.promoted
    return _expose(replace(state, records=tuple(map(after, state.records)), promoted=promoted), state, action, statement)


def _expose(state: State, before: State, action: Action, statement: Statement) -> State:
    """Return `state` with the exposure to users after `action`."""
    rollout.check_evidence(statement.details)
    index = state.length + 1
    match action:
        case Action.SET_SHARE:
            return rollout.set_share(state, statement, state.champion)
        case Action.HOLD_CANARY:
            return rollout.hold(state, statement)
        case Action.RESUME_CANARY:
            return rollout.resume(state)
        case Action.END_WATCH:
            return rollout.end_watch(state, statement.version)
        case Action.PROMOTE:
            state = rollout.start_watch(state, statement, before.champion, index, was_canary=before.canary == statement.version)
        case _ if state.champion is None:
            state = replace(state, watch=None)
    if (state.champion, state.canary) == (before.champion, before.canary):
        return state
    held = before.canary_held if state.canary == before.canary else ""  # a person's hold of this canary outlasts a change of the champion
    return replace(rollout.start_ramp(state, 0 if state.canary is None else index), canary_held=held)


def fold(entries: Iterable[Entry], state: State | None = None) -> State:
    """Return the state after all entries of the log, or after further entries.

    Args:
        state: the state before the entries; by default that of an empty log.

    Raises:
        Corrupt: names the first entry that is an illegal move.
    """
    state = state or State()
    for entry in entries:
        try:
            state = apply(state, entry.statement)
        except (IllegalMove, NoSuchVersion) as error:
            raise Corrupt(f"an illegal move: {error}", where=f"log entry {entry.index}") from None
    return state
