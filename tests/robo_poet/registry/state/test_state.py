"""The state as a fold, against a model of the rules that is written down a second time, in other words. Covers: record, state."""

import itertools
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from robo_poet.registry.log.entry import GENESIS, Action, Corrupt, Entry, IllegalMove, NoSuchVersion, Statement
from robo_poet.registry.state.state import MOVES, Stage, State, apply, fold

SERIAL = itertools.count()
OF_MODEL = {Action.ADD_SOURCE, Action.ADOPT}  # statements about the model, not about a version
# These keep the stage: test_rollout.py
EXPOSING = {Action.SET_SHARE, Action.HOLD_CANARY, Action.RESUME_CANARY, Action.END_WATCH, Action.SET_BASELINE}
MOVING = set(Action) - OF_MODEL - {Action.REGISTER, Action.PURGE, Action.JUDGE_AGAIN} - EXPOSING
DECISION = "de" * 32
moves = st.sampled_from(sorted(MOVING))


def say(action: str, version: int, **details: object) -> Statement:
    return Statement("poems", action, version, "ada", f"because of {action}", details)


def register(version: int, stage: str = "candidate", digest: str = "") -> Statement:
    return say("register", version, digest=digest or f"digest {next(SERIAL)}", stage=stage)


def judge(version: int, verdict: str, decision: str = DECISION) -> Statement:
    return Statement("poems", "judge_again", version, "gates", f"{verdict} now", {"verdict": verdict, "decision": decision})


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
        self.overridden: set[int] = set()
        self.barred: set[int] = set()
        self.verdicts: list[str] = []

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
            self.verdicts.append("accepted" if stage == "candidate" else "rejected")

    @precondition(lambda self: self.model)
    @rule(data=st.data(), verdict=st.sampled_from(["accepted", "rejected"]))
    def judge(self, data: st.DataObject, verdict: str) -> None:
        index = data.draw(st.integers(0, len(self.model) - 1))
        self.attempt(judge(index + 1, verdict), True)
        self.verdicts[index] = verdict
        old = self.model[index]
        if verdict == "rejected" and old in ("candidate", "canary") and index not in self.overridden:
            self.model[index] = "rejected"
        if verdict == "accepted" and old == "rejected" and index not in self.barred:
            self.model[index] = "candidate"

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
            self.overridden |= {index} if action == "override" else set()
            self.barred = self.barred | {index} if action == "reject" else self.barred - {index}

    @invariant()
    def is_as_modelled(self) -> None:
        assert stages(self.state) == self.model
        assert self.model.count("champion") <= 1
        assert self.model.count("canary") <= 1
        for role, number in (("champion", self.state.champion), ("canary", self.state.canary)):
            assert number == (self.model.index(role) + 1 if role in self.model else None)

    @invariant()
    def has_the_latest_verdict_and_every_override(self) -> None:
        assert [record.verdict for record in self.state.records] == self.verdicts
        assert {record.number - 1 for record in self.state.records if record.overridden} == self.overridden
        for record, stage in zip(self.state.records, self.model, strict=True):
            assert record.contested == (record.verdict == "rejected" and stage != "rejected")

    @invariant()
    def a_canary_that_is_gone_has_no_users(self) -> None:
        assert self.state.canary is not None or self.state.canary_share == 0

    @invariant()
    def is_the_fold_of_what_was_said(self) -> None:
        assert build(*self.said) == build(*self.said) == self.state


TestRules = Rules.TestCase
TestRules.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@given(st.lists(st.tuples(st.sampled_from(Action), st.integers(0, 4), st.sampled_from(Stage)), max_size=25))
def test_a_version_that_a_person_rejected_stays_so_until_a_person_overrides_it(attempts: list[tuple[Action, int, Stage]]) -> None:
    state = State()
    rejected: set[int] = set()
    for action, number, stage in attempts:
        statement = register(len(state.records) + 1, stage) if action is Action.REGISTER else say(action, number)
        if action is Action.JUDGE_AGAIN:
            statement = judge(number, "rejected" if stage == "rejected" else "accepted")
        with suppress(IllegalMove, NoSuchVersion):
            state = apply(state, statement)
            rejected |= {number} if action is Action.REJECT else set()
        if action is Action.OVERRIDE:
            rejected -= {number}
        assert all(state.record(number).stage is Stage.REJECTED for number in rejected)


OVERRIDDEN = (register(1), say("promote", 1), register(2, "rejected"), say("override", 2))


@pytest.mark.parametrize(
    ("path", "number", "verdict", "stage"),
    [
        ((register(1, "rejected"),), 1, "accepted", "candidate"),
        ((register(1, "rejected"),), 1, "rejected", "rejected"),
        ((register(1),), 1, "accepted", "candidate"),
        ((register(1),), 1, "rejected", "rejected"),
        ((register(1), say("reject", 1)), 1, "accepted", "rejected"),  # users were harmed: other gates do not prove the contrary
        ((register(1), judge(1, "rejected")), 1, "accepted", "candidate"),
        ((register(1), say("start_canary", 1)), 1, "accepted", "canary"),
        ((register(1), say("start_canary", 1)), 1, "rejected", "rejected"),
        ((register(1), say("promote", 1)), 1, "rejected", "champion"),
        ((register(1), say("archive", 1)), 1, "rejected", "archived"),
        ((register(1), say("archive", 1)), 1, "accepted", "archived"),
        (OVERRIDDEN, 2, "rejected", "candidate"),
        ((*OVERRIDDEN, say("start_canary", 2)), 2, "rejected", "canary"),
        ((*OVERRIDDEN, say("start_canary", 2), say("reject", 2)), 2, "accepted", "rejected"),
    ],
)
def test_a_further_decision_has_a_defined_effect_in_each_stage(
    path: tuple[Statement, ...], number: int, verdict: str, stage: str
) -> None:  # fmt: skip
    before = build(*path)
    after = apply(before, judge(number, verdict))
    record = after.record(number)
    assert (record.stage, record.verdict, record.verdict_why, record.decision) == (stage, verdict, f"{verdict} now", DECISION)
    assert record.decisions == before.record(number).decisions + 1
    assert record.overridden == before.record(number).overridden
    assert record.contested == (verdict == "rejected" and stage != "rejected")
    assert record.why == (f"{verdict} now" if stage != before.record(number).stage else record.why)
    assert after.length == before.length + 1


def test_a_canary_that_the_gates_reject_loses_its_users_and_the_next_one_starts_without() -> None:
    path = (register(1), say("promote", 1), register(2), say("start_canary", 2), say("set_share", 2, step=0, share=0.25), register(3))
    state = apply(build(*path), judge(2, "rejected"))
    assert (state.canary, state.canary_share, state.canary_since, state.champion) == (None, 0.0, 0, 1)
    state = apply(state, say("start_canary", 3))
    assert (state.canary, state.canary_share, state.canary_step) == (3, 0.0, -1)


def test_an_accepted_canary_keeps_its_ramp() -> None:
    path = (register(1), say("promote", 1), register(2), say("start_canary", 2), say("set_share", 2, step=0, share=0.25))
    before = build(*path)
    after = apply(before, judge(2, "accepted"))
    assert (after.canary, after.canary_share, after.canary_since) == (2, 0.25, before.canary_since)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (judge(1, "perhaps"), "a verdict is accepted or rejected, not 'perhaps'"),
        (judge(1, "accepted", "../../keys"), "a decision is named by its SHA-256"),
        (judge(1, "accepted", ""), "a decision is named by its SHA-256"),
        (say("judge_again", 1, verdict="accepted", decision=3), "a decision is named by its SHA-256"),
    ],
)
def test_a_decision_without_verdict_or_digest_is_refused(statement: Statement, message: str) -> None:
    with pytest.raises(IllegalMove, match=message):
        apply(build(register(1)), statement)


def test_a_purged_version_is_not_judged() -> None:
    with pytest.raises(IllegalMove, match="the files of version 1 were purged"):
        apply(build(register(1, "rejected"), say("purge", 1)), judge(1, "accepted"))


def test_the_latest_of_several_versions_has_the_identity_and_the_first_identity_counts_most() -> None:
    state = build(register(1, digest="with candidate"), register(2, "rejected", digest="with rejected"))
    assert [state.with_identity(*names) for names in (("new",), ("new", "with rejected", "with candidate"), ("new", "with candidate"))] == [
        None, state.record(2), state.record(1),
    ]  # fmt: skip


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
