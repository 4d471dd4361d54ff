"""The ramp and the watch, against a second model of the rules that computes everything from the whole history."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robo_poet.registry.log.entry import GENESIS, Action, Entry, IllegalMove, Statement
from robo_poet.registry.state.rollout import Watch
from robo_poet.registry.state.state import Stage, State, apply, fold

EVIDENCE = "5e" * 32


def say(action: str, version: int, why: str = "because", **details: object) -> Statement:
    return Statement("poems", action, version, "ada", why, details)


def build(*statements: Statement) -> State:
    return fold(Entry(index, GENESIS, statement) for index, statement in enumerate(statements, 1))


TWO = (say("register", 1, digest="a", stage="candidate"), say("register", 2, digest="b", stage="candidate"), say("promote", 1))
CANARY = (*TWO, say("start_canary", 2))  # entries 1 to 4
RAMP = (*CANARY, say("set_share", 2, step=0, share=0.05, evidence=EVIDENCE))
WATCHED = (*RAMP, say("promote", 2, watch_share=0.05, evidence=EVIDENCE))  # entry 6


def ramp(state: State) -> tuple[int, float, str, int]:
    return state.canary_step, state.canary_share, state.canary_held, state.canary_since


def test_a_canary_starts_without_users_and_its_share_grows_by_steps() -> None:
    state = build(*CANARY)
    assert ramp(state) == (-1, 0.0, "", 4)
    state = apply(state, say("set_share", 2, step=0, share=0.05, evidence=EVIDENCE))
    state = apply(state, say("set_share", 2, step=2, share=0.5, evidence=""))
    assert ramp(state) == (2, 0.5, "", 4)
    assert state.record(2).why == "because"  # the reason of the stage stays
    assert state.record(2).stage is Stage.CANARY
    assert state.promoted == (1,)


def test_a_held_canary_keeps_its_share_until_it_is_resumed() -> None:
    state = apply(build(*RAMP), say("hold_canary", 2, "a release party", evidence=EVIDENCE))
    assert ramp(state) == (0, 0.05, "a release party", 4)
    with pytest.raises(IllegalMove, match="held: a release party; resume it first"):
        apply(state, say("set_share", 2, step=1, share=0.25))
    with pytest.raises(IllegalMove, match="already held"):
        apply(state, say("hold_canary", 2))
    assert ramp(apply(state, say("resume_canary", 2))) == (0, 0.05, "", 4)
    assert apply(state, say("promote", 2)).champion == 2  # a person may decide against the hold


@pytest.mark.parametrize("action", ["reject", "archive", "promote"])
def test_the_end_of_a_canary_takes_its_users_away(action: str) -> None:
    state = apply(build(*RAMP, say("hold_canary", 2)), say(action, 2))
    assert ramp(state) == (-1, 0.0, "", 0)
    assert state.canary is None


def test_another_canary_starts_a_new_ramp() -> None:
    third = say("register", 3, digest="c", stage="candidate")
    assert ramp(build(*RAMP, say("hold_canary", 2), third, say("start_canary", 3))) == (-1, 0.0, "", 8)


def test_a_new_champion_starts_the_ramp_again_because_the_comparison_is_another() -> None:
    third = say("register", 3, digest="c", stage="candidate")
    state = build(*WATCHED, third, say("start_canary", 3), say("end_watch", 2), say("set_share", 3, step=0, share=0.1), say("promote", 1))
    assert (state.champion, state.canary) == (1, 3)
    assert ramp(state) == (-1, 0.0, "", 11)
    state = build(*RAMP, say("archive", 1))
    assert ramp(state) == (-1, 0.0, "", 6)
    with pytest.raises(IllegalMove, match="only next to a champion"):
        apply(state, say("set_share", 2, step=0, share=0.1))


def test_a_promotion_can_be_watched_until_the_watch_ends() -> None:
    state = build(*WATCHED)
    assert state.watch == Watch(former=1, share=0.05, since=6, ramp=4)
    assert state.rollback_target == 1
    with pytest.raises(IllegalMove, match="version 1 is archived; end-watch needs a version that is champion"):
        apply(state, say("end_watch", 1))
    with pytest.raises(IllegalMove, match="a roll-back would return to"):
        apply(state, say("purge", 1))
    ended = apply(state, say("end_watch", 2))
    assert ended.watch is None
    assert ended.promoted == (1, 2)
    with pytest.raises(IllegalMove, match="is not watched"):
        apply(ended, say("end_watch", 2))


def test_a_rollback_ends_the_watch_whatever_it_says() -> None:
    for details in ({}, {"watch_share": 0.05}):
        state = apply(build(*WATCHED), say("promote", 1, **details))
        assert (state.champion, state.watch) == (1, None)
    assert apply(build(*WATCHED), say("archive", 2)).watch is None


def test_the_next_ramp_waits_for_the_end_of_the_watch() -> None:
    state = build(*WATCHED, say("register", 3, digest="c", stage="candidate"), say("start_canary", 3))
    assert state.watch is not None
    with pytest.raises(IllegalMove, match="the watch of version 2 goes on; end the watch first"):
        apply(state, say("set_share", 3, step=0, share=0.05))
    assert apply(state, say("promote", 3)).watch is None
    assert apply(state, say("promote", 3, watch_share=0.1)).watch == Watch(former=2, share=0.1, since=9, ramp=8)


def test_the_first_champion_has_no_former_one_to_watch() -> None:
    assert build(TWO[0], say("promote", 1, watch_share=0.05)).watch is None


@pytest.mark.parametrize(
    ("details", "message"),
    [
        ({}, "the next step is at least 1, not None"),
        ({"step": 0, "share": 0.1}, "the next step is at least 1, not 0"),
        ({"step": True, "share": 0.1}, "the next step is at least 1, not True"),
        ({"step": 1.0, "share": 0.1}, "the next step is at least 1, not 1.0"),
        ({"step": 1}, "between 0 and 1, not 0.0"),
        ({"step": 1, "share": 1}, "between 0 and 1, not 1.0"),
        ({"step": 1, "share": -0.1}, "between 0 and 1, not -0.1"),
        ({"step": 1, "share": math.nan}, "between 0 and 1, not nan"),
        ({"step": 1, "share": "0.1"}, "share is a number, not '0.1'"),
        ({"step": 1, "share": True}, "share is a number, not True"),
        ({"step": 1, "share": 0.1, "evidence": "none"}, "the evidence is a SHA-256"),
        ({"step": 1, "share": 0.1, "evidence": None}, "the evidence is a SHA-256"),
    ],
)
def test_a_step_that_makes_no_sense_is_refused(details: dict[str, object], message: str) -> None:
    with pytest.raises(IllegalMove, match=message):
        apply(build(*RAMP), say("set_share", 2, **details))


@pytest.mark.parametrize("share", [1, 1.5, -0.1, math.nan, "much", True])
def test_a_watch_that_makes_no_sense_is_refused(share: object) -> None:
    with pytest.raises(IllegalMove, match="the share of a former champion|watch_share is a number"):
        apply(build(*RAMP), say("promote", 2, watch_share=share))


ATTEMPTS = st.tuples(
    st.sampled_from([action for action in Action if action not in (Action.REGISTER, Action.ADD_SOURCE, Action.ADOPT)]),
    st.integers(1, 3),
    st.fixed_dictionaries({}, optional={"step": st.integers(-1, 4), "share": st.sampled_from([0, 0.05, 0.5, 1]),
                                        "watch_share": st.sampled_from([0, 0.05])}),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(ATTEMPTS, max_size=30))
def test_any_moves_leave_a_state_that_says_who_serves_whom(attempts: list[tuple[Action, int, dict[str, object]]]) -> None:
    said = [say("register", number, digest=str(number), stage="candidate") for number in (1, 2, 3)]
    state = build(*said)
    for action, number, details in attempts:
        statement = say(action, number, f"reason {len(said)}", **details)
        try:
            after = apply(state, statement)
        except IllegalMove:
            continue
        said.append(statement)
        same_pair = (after.champion, after.canary) == (state.champion, state.canary)
        if action not in (Action.SET_SHARE, Action.HOLD_CANARY, Action.RESUME_CANARY) and same_pair:
            assert ramp(after) == ramp(state)  # nothing else changes a ramp
        if not same_pair:
            held = state.canary_held if after.canary == state.canary else ""  # a hold outlasts a change of the champion
            assert ramp(after) == (-1, 0.0, held, len(said) if after.canary else 0)
        state = after
        assert (state.canary_since > 0) == (state.canary is not None)
        assert (state.canary_share > 0) == (state.canary_step >= 0)
        assert 0 <= state.canary_share < 1
        if state.canary_share:
            assert None not in (state.champion, state.canary)
        if state.watch:
            promotion = said[state.watch.since - 1]
            assert (promotion.action, promotion.version) == ("promote", state.champion)
            former = state.record(state.watch.former)
            assert former.was_champion and former.stage is Stage.ARCHIVED and not former.purged
        assert state.length == len(said)
    assert build(*said) == state
