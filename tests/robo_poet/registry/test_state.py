"""The state as a fold, against a model of the rules that is written down a second time, in other words."""

import itertools
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from robo_poet.registry.entry import GENESIS, Corrupt, Entry, IllegalMove, NoSuchVersion, Statement
from robo_poet.registry.state import MOVES, Action, Stage, State, apply, fold

SERIAL = itertools.count()
OF_MODEL = {Action.ADD_SOURCE, Action.ADOPT}  # statements about the model, not about a version
EXPOSING = {Action.SET_SHARE, Action.HOLD_CANARY, Action.RESUME_CANARY, Action.END_WATCH}  # these keep the stage: test_rollout.py
MOVING = set(Action) - OF_MODEL - {Action.REGISTER, Action.PURGE} - EXPOSING
moves = st.sampled_from(sorted(MOVING))


def say(action: str, version: int, **details: object) -> Statement:
    return Statement("poems", action, version, "ada", f"because of {action}", details)


def register(version: int, stage: str = "candidate", digest: str = "") -> Statement:
    return say("register", version, digest=digest or f"digest {next(SERIAL)}", stage=stage)


def build(*statements: Statement) -> State:
    return fold(Entry(index, GENESIS, statement) for index, statement in enumerate(statements, 1))


def stages(state: State) -> list[str]:
    return [str(record.stage) for record in state.records]


class Rules(RuleBasedStateMachine):
    """Any action on any version at any time: the state does what the rules say, or refuses and stays."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State()
        self.said: list[Statement] = []
        self.model: list[str] = []
        self.crowned: set[int] = set()

    def attempt(self, statement: Statement, legal: bool) -> bool:
        before = self.state
        if legal:
            self.state = apply(self.state, statement)
            self.said.append(statement)
        else:
            with pytest.raises(IllegalMove):
                apply(self.state, statement)
            assert self.state is before
        return legal

    @rule(stage=st.sampled_from(Stage))
    def register(self, stage: Stage) -> None:
        if self.attempt(register(len(self.model) + 1, stage), stage in ("candidate", "rejected")):
            self.model.append(stage)

    @precondition(lambda self: self.model)
    @rule(data=st.data(), action=moves)
    def move(self, data: st.DataObject, action: Action) -> None:
        index = data.draw(st.integers(0, len(self.model) - 1))
        old = self.model[index]
        match action:
            case "start_canary":
                new, legal = "canary", old == "candidate"
            case "promote":
                first = old == "candidate" and "champion" not in self.model
                new, legal = "champion", old == "canary" or first or (old == "archived" and index in self.crowned)
            case "archive":
                new, legal = "archived", old in ("candidate", "canary", "champion")
            case "override":
                new, legal = "candidate", old == "rejected"
            case _:
                new, legal = "rejected", old in ("candidate", "canary")
        if self.attempt(say(action, index + 1), legal):
            if new in ("canary", "champion"):
                self.model = ["archived" if stage == new else stage for stage in self.model]
            self.model[index] = new
            self.crowned |= {index} if new == "champion" else set()

    @invariant()
    def is_as_modelled(self) -> None:
        assert stages(self.state) == self.model
        assert self.model.count("champion") <= 1
        assert self.model.count("canary") <= 1
        for role, number in (("champion", self.state.champion), ("canary", self.state.canary)):
            assert number == (self.model.index(role) + 1 if role in self.model else None)

    @invariant()
    def is_the_fold_of_what_was_said(self) -> None:
        assert build(*self.said) == build(*self.said) == self.state


TestRules = Rules.TestCase
TestRules.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@given(st.lists(st.tuples(st.sampled_from(Action), st.integers(0, 4), st.sampled_from(Stage)), max_size=25))
def test_a_rejected_version_stays_so_until_a_person_overrides_it(attempts: list[tuple[Action, int, Stage]]) -> None:
    state = State()
    rejected: set[int] = set()
    for action, number, stage in attempts:
        statement = register(len(state.records) + 1, stage) if action is Action.REGISTER else say(action, number)
        with suppress(IllegalMove, NoSuchVersion):
            state = apply(state, statement)
        if action is Action.OVERRIDE:
            rejected -= {number}
        assert all(state.record(number).stage is Stage.REJECTED for number in rejected)
        rejected |= {record.number for record in state.records if record.stage is Stage.REJECTED}


@pytest.mark.parametrize(("action", "stage"), sorted(set(itertools.product(MOVING | EXPOSING, Stage)) - set(MOVES)))
def test_every_move_outside_the_table_is_refused_with_the_stages_it_takes(action: Action, stage: Stage) -> None:
    path = {
        Stage.CANDIDATE: [],
        Stage.CANARY: [say("start_canary", 1)],
        Stage.CHAMPION: [say("promote", 1)],
        Stage.ARCHIVED: [say("archive", 1)],
        Stage.REJECTED: [say("reject", 1)],
    }[stage]
    state = build(register(1), *path)
    assert stages(state) == [stage]
    with pytest.raises(IllegalMove, match=f"version 1 is {stage}; {action.replace('_', '-')} needs a version that is "):
        apply(state, say(action, 1))


def test_the_holder_before_is_archived_with_the_reason() -> None:
    state = build(register(1), register(2), register(3), say("promote", 1), say("start_canary", 2), say("start_canary", 3))
    assert stages(state) == ["champion", "archived", "canary"]
    assert state.record(2).why == "superseded by version 3"
    state = apply(state, say("promote", 3))
    assert stages(state) == ["archived", "archived", "champion"]
    assert stages(apply(state, say("promote", 1))) == ["champion", "archived", "archived"]
    with pytest.raises(IllegalMove, match="never champion"):
        apply(state, say("promote", 2))


def test_a_candidate_is_tried_before_it_replaces_a_champion() -> None:
    state = build(register(1), register(2), say("promote", 1))
    with pytest.raises(IllegalMove, match="version 2 was never canary, and version 1 is champion; start it as canary first"):
        apply(state, say("promote", 2))


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (register(3), "the next version is 2"),
        (register(2, "champion"), "not as champion"),
        (say("register", 2, stage="candidate"), "no digest"),
        (register(2, digest="same"), "the same content is already registered as version 1"),
        (say("praise", 1), "unknown action praise"),
        (say("add_source", 1, source="/poems"), "version 0"),
        (say("add_source", 0), "has the address of the source"),
    ],
)
def test_a_statement_that_makes_no_sense_is_refused(statement: Statement, message: str) -> None:
    with pytest.raises(IllegalMove, match=message):
        apply(build(register(1, digest="same")), statement)


def test_sources_are_added_once_and_keep_their_order() -> None:
    state = build(say("add_source", 0, source="/poems"), register(1), say("add_source", 0, source="gs://bucket/poems"))
    assert state.sources == ("/poems", "gs://bucket/poems")
    with pytest.raises(IllegalMove, match="is already a source"):
        apply(state, say("add_source", 0, source="/poems"))


@pytest.mark.parametrize("number", [-1, 0, 2])
def test_an_unknown_version_is_named(number: int) -> None:
    with pytest.raises(NoSuchVersion, match=f"there is no version {number}; versions are 1 to 1"):
        apply(build(register(1)), say("archive", number))


def test_a_log_with_an_illegal_move_is_corrupt() -> None:
    with pytest.raises(Corrupt, match="log entry 2: an illegal move: version 1 is rejected"):
        build(register(1, "rejected"), say("promote", 1))
    with pytest.raises(Corrupt, match="log entry 1: an illegal move: there is no version 1; the registry is empty"):
        build(say("promote", 1))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ([], "version 1 is candidate; purge needs a version that is archived or rejected"),
        ([say("start_canary", 1)], "version 1 is canary"),
        ([say("promote", 1)], "version 1 is champion"),
        ([say("promote", 1), say("archive", 1)], "version 1 is the version that a roll-back would return to"),
    ],
)
def test_a_version_in_service_or_needed_for_a_rollback_is_not_purged(path: list[Statement], message: str) -> None:
    with pytest.raises(IllegalMove, match=message):
        apply(build(register(1), *path), say("purge", 1))


def test_only_the_last_former_champion_is_kept_for_a_rollback() -> None:
    state = build(register(1), register(2), register(3), say("promote", 1), say("start_canary", 2), say("promote", 2),
                  say("start_canary", 3), say("promote", 3))  # fmt: skip
    assert state.rollback_target == 2
    state = apply(state, say("purge", 1))
    assert [record.purged for record in state.records] == [True, False, False]
    with pytest.raises(IllegalMove, match="the files of version 1 were purged"):
        apply(state, say("promote", 1))
    assert apply(state, say("promote", 2)).rollback_target == 3


def test_purged_content_can_be_registered_again() -> None:
    state = build(register(1, "rejected", digest="same"), say("purge", 1), register(2, "rejected", digest="same"))
    assert [record.purged for record in state.records] == [True, False]
