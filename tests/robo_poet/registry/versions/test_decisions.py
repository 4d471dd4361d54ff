"""Further decisions of the gates about a registered version: files, entries of the log, stages and races."""

import json
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.errors import BadInput
from robo_poet.registry.copying import FolderFiles, copy
from robo_poet.registry.log.entry import Conflict, Corrupt, IllegalMove
from robo_poet.registry.log.log import FolderLog
from robo_poet.registry.registry import Registry
from robo_poet.registry.versions.decisions import Decisions, plain, stage_for
from robo_poet.registry.versions.version import Version

Register = Callable[..., Version]
SAID = {"who": "ada", "why": "test"}
METRICS = {"perplexity": 40.0}
PASSED: dict[str, Any] = {"verdict": "accepted", "gates": [{"metric": "perplexity", "verdict": "pass"}], "reason": ""}
FIRST = {"verdict": "accepted"}  # as the fixture `add` registers it
STRICT = {"verdict": "rejected", "gates": [{"metric": "perplexity", "bound": "<= 30"}]}
REJECTED: dict[str, Any] = {"verdict": "rejected", "who": "gates", "why": "perplexity is 40, above 30", "profile": "strict"}
ACCEPTED: dict[str, Any] = {"verdict": "accepted", "who": "gates", "why": "passed all gates"}


@given(st.recursive(st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_stored_values_are_json_and_converting_twice_changes_nothing(value: Any) -> None:
    once = plain(value)
    json.dumps(once, allow_nan=False)
    assert plain(once) == once


@pytest.mark.parametrize(
    ("decision", "why"),
    [
        ({}, "the verdict is not accepted"),
        ({"verdict": "Accepted", "gates": PASSED["gates"]}, "the verdict is not accepted"),
        ({"verdict": "accepted"}, "not all gates passed"),
        ({"verdict": "accepted", "gates": []}, "not all gates passed"),
        ({"verdict": "accepted", "gates": [*PASSED["gates"], {"metric": "bleu"}]}, "not all gates passed"),
        ({"verdict": "accepted", "gates": ["pass"]}, "not all gates passed"),
    ],
)
def test_a_decision_without_only_passed_gates_is_rejected(decision: dict[str, Any], why: str) -> None:
    stage, reason = stage_for(decision)
    assert stage == "rejected"
    assert why in reason


@pytest.mark.parametrize("verdict", ["fail", "perhaps", "", None])
def test_an_accepted_verdict_with_another_gate_is_rejected(verdict: str | None) -> None:
    assert (
        stage_for({"verdict": "accepted", "gates": [{"metric": "bleu", "verdict": "open"}, {"metric": "x", "verdict": verdict}]})[0]
        == "rejected"
    )


def test_a_decision_is_a_file_with_its_digest_as_name(tmp_path: Path) -> None:
    decisions = Decisions(tmp_path / "decisions")
    sha256 = decisions.write({"verdict": "accepted", "gates": []})
    assert decisions.write({"gates": [], "verdict": "accepted"}) == sha256 == decisions.name({"gates": [], "verdict": "accepted"})
    assert decisions.read(sha256) == {"verdict": "accepted", "gates": []}
    assert [path.name for path in (tmp_path / "decisions").iterdir()] == [f"{sha256}.json"]
    decisions.path(sha256).chmod(0o644)
    decisions.path(sha256).write_text("{}")
    with pytest.raises(Corrupt, match="the decision was changed"):
        decisions.read(sha256)
    decisions.path(sha256).unlink()
    with pytest.raises(Corrupt, match="the decision is missing"):
        decisions.read(sha256)


def test_the_same_content_under_other_gates_gets_a_further_decision(registry: Registry, add: Register) -> None:
    first = add(registry, identity="content")
    again = add(registry, identity="content", decision=STRICT, stage="rejected", why=REJECTED["why"], profile="strict")
    assert (again.number, again.digest, again.stage, again.why) == (1, first.digest, "rejected", "perplexity is 40, above 30")
    assert [judged.verdict for judged in registry.decisions(1)] == ["accepted", "rejected"]
    assert registry.decisions(1)[1].text.startswith("rejected by the gates of strict on 20")
    assert registry.decision(1) == STRICT | {"metrics": {"perplexity": 40}}
    assert first.manifest().decision == FIRST  # the folder and its attestation are unchanged
    registry.verify()
    add(registry, identity="content", decision=STRICT, stage="rejected")  # the latest decision: nothing to record
    assert len(registry.log()) == 2
    assert add(registry, identity="content").stage == "candidate"
    assert [entry.statement.action for entry in registry.log()] == ["register", "judge_again", "judge_again"]


def test_other_measurements_are_another_decision_and_the_same_ones_are_not(registry: Registry, add: Register) -> None:
    add(registry, identity="content")
    add(registry, identity="content", metrics={"perplexity": 40})  # Kubeflow: a whole number
    assert len(registry.log()) == 1
    add(registry, identity="content", metrics={"perplexity": 41.0})
    assert registry.decision(1)["metrics"] == {"perplexity": 41}
    assert registry.state().record(1).decisions == 2


def test_an_override_outlasts_every_decision(registry: Registry, add: Register) -> None:
    add(registry, stage="rejected", decision=STRICT)
    registry.override(1, who="grace", why="for the exhibition")
    registry.judge_again(1, STRICT, {"perplexity": 39.0}, **REJECTED)
    state = registry.state()
    assert (state.record(1).stage, state.record(1).overridden, state.record(1).contested) == ("candidate", True, True)
    assert [statement.why for statement in registry.overrides(1)] == ["for the exhibition"]
    registry.promote(1, **SAID)
    registry.judge_again(1, FIRST, METRICS, **ACCEPTED)
    assert (registry.version(1).stage, registry.state().record(1).overridden) == ("champion", True)


def test_a_version_of_an_earlier_release_is_found_by_its_former_identity(registry: Registry, add: Register) -> None:
    add(registry, identity="content and candidate")
    add(registry, identity="content and rejected", stage="rejected", decision=STRICT)
    former = ["content and candidate", "content and rejected"]
    assert add(registry, identity="content", former_identities=former).number == 1
    assert len(registry.log()) == 2
    assert add(registry, identity="content", former_identities=former[1:], stage="candidate").stage == "candidate"
    assert [entry.statement.version for entry in registry.log()] == [1, 2, 2]


def test_a_purged_version_is_not_judged_and_its_content_is_a_new_version(registry: Registry, add: Register) -> None:
    add(registry, identity="content", stage="rejected")
    registry.purge(1, **SAID)
    with pytest.raises(BadInput, match="the files were purged"):
        registry.judge_again(1, STRICT, METRICS, **REJECTED)
    assert add(registry, identity="content").number == 2


def test_verify_and_copy_know_the_decisions(registry: Registry, add: Register, tmp_path: Path) -> None:
    add(registry)
    registry.judge_again(1, STRICT, METRICS, **REJECTED)
    copy(FolderFiles(registry.root), FolderFiles(tmp_path / "copy"), "poems", registry.trust)
    copied = Registry(tmp_path / "copy", "poems")
    assert copied.verify() and copied.decision(1) == registry.decision(1)
    registry.decision_files.path(registry.state().record(1).decision).unlink()
    for number in (None, 1):
        with pytest.raises(Corrupt, match="the decision is missing"):
            registry.verify(number)
    assert registry.version(1).stage == "rejected"  # the signed entry has the verdict


def test_a_kill_between_file_and_entry_leaves_no_decision(registry: Registry, add: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    add(registry)
    with monkeypatch.context() as patched:
        patched.setattr(FolderLog, "create", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            registry.judge_again(1, STRICT, METRICS, **REJECTED)
    assert (len(registry.decisions(1)), registry.version(1).stage) == (1, "candidate")
    registry.verify()
    assert registry.judge_again(1, STRICT, METRICS, **REJECTED).stage == "rejected"


def test_a_controller_that_promotes_a_canary_loses_to_its_rejection(registry: Registry, add: Register) -> None:
    for seed in (1, 2):
        add(registry, seed)
    registry.promote(1, **SAID)
    registry.start_canary(2, **SAID)
    seen = registry.state()
    registry.judge_again(2, STRICT, METRICS, **REJECTED)
    for move in (registry.promote, registry.hold_canary):
        with pytest.raises((Conflict, IllegalMove)):
            move(2, who="controller", why="no harm", seen=seen)
    champion = registry.champion()
    assert champion and champion.number == 1


def test_a_rejection_after_the_promotion_keeps_the_champion_and_says_so(registry: Registry, add: Register) -> None:
    add(registry)
    registry.promote(1, **SAID)
    assert registry.judge_again(1, STRICT, METRICS, **REJECTED).stage == "champion"
    assert registry.state().record(1).contested


def judge(root: Path, mine: int, rounds: int, start: Any) -> None:
    registry = Registry(root, "poems")
    start.wait(60)
    for number in range(rounds):
        verdict = REJECTED if (mine + number) % 2 else ACCEPTED
        registry.judge_again(2, {"by": mine, "round": number}, METRICS, **{**verdict, "who": str(os.getpid())})


@pytest.mark.parametrize("rounds", [8, pytest.param(250, marks=[pytest.mark.soak, pytest.mark.timeout(900)])])
def test_racing_judges_each_record_their_decisions_in_one_chain(registry: Registry, add: Register, rounds: int) -> None:
    for seed in (1, 2):
        add(registry, seed)
    registry.promote(1, **SAID)
    registry.start_canary(2, **SAID)
    context = multiprocessing.get_context("fork")
    start = context.Barrier(4)
    processes = [context.Process(target=judge, args=(registry.root, mine, rounds, start)) for mine in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(600)
        assert process.exitcode == 0
    entries = registry.signed_log.read(again=True)
    judged = [entry.statement for entry in entries[4:]]
    assert len(judged) == 4 * rounds and {statement.action for statement in judged} == {"judge_again"}
    record = registry.state().record(2)
    assert (record.verdict, record.decision) == (judged[-1].details["verdict"], judged[-1].details["decision"])
    assert registry.state().canary is None and registry.champion() is not None
    registry.verify()
