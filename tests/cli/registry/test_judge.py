import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from robo_poet.errors import BadInput
from robo_poet.registry.registry import Registry
from tests.cli.registry.conftest import Call

CARD: dict[str, Any] = {
    "slices": {}, "champion": {"state": "none"}, "champion_texts": {"difference": {}}, "measured_on": {"text_unit": None}, "bias": {"groups": []},
}  # fmt: skip
AGAINST = "{metric: bits_per_byte, against: champion, margin: 0.05}"


def register(
    root: Path, number: int, *, compared: Mapping[str, Any] | None = None, planted: int = 0, card: Mapping[str, Any] = CARD
) -> None:
    metrics = {"perplexity": 40.0, "bits_per_byte": 2.0, "secrets_planted": planted}
    difference = {"bits_per_byte": {"difference": {"value": -0.1, "low": -0.2, "high": 0.0, "units": 9}}}
    comparison = {"state": "measured", "champion": compared, **difference} if compared else {"state": "none", "champion": None}
    contents = {"card.json": {**card, "champion": comparison} if card else {}, "decision.json": {"metrics": metrics}}
    files = {"weights": root.parent / "weights", **{name: root.parent / name for name in contents}}
    files["weights"].write_text(str(number))
    for name, content in contents.items():
        files[name].write_text(json.dumps(content))
    Registry(root, "poems").register(
        files,
        metrics=metrics,
        lineage={"seed": number},
        decision={"verdict": "accepted", "gates": []},
        stage="candidate",
        who="ada",
        why="first",
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    register(tmp_path / "registry", 1)
    return tmp_path / "registry"


def judge(call: Call, root: Path, number: int, gates: str, *more: str) -> Result:
    profile = ("--profile", "ci", "--set", f"gates=[{{metric: '*', drop: test}}, {gates}]")
    return call(root, "judge-again", str(number), *profile, "--why", "since May", *more)


def test_a_candidate_is_rejected_and_accepted_by_other_gates(root: Path, call: Call) -> None:
    rejected = judge(call, root, 1, "{metric: perplexity, max: 30}")
    assert rejected.exit_code == 0 and "poems/1 is rejected; rejected by the gates of ci: perplexity is 40, above 30" in rejected.stdout
    registry = Registry(root, "poems")
    statement = registry.log()[-1].statement
    assert (statement.action, statement.why) == ("judge_again", "perplexity is 40, above 30 (since May)")
    assert registry.decision(1)["gates"][0]["bound"] == "<= 30" and registry.decision(1)["metrics"]["bits_per_byte"] == 2
    accepted = json.loads(judge(call, root, 1, "{metric: perplexity, max: 50}", "--json").stdout)
    assert (accepted["stage"], accepted["decision"]["verdict"]) == ("candidate", "accepted")
    assert "the latest decision is the same: passed all gates: perplexity" in judge(call, root, 1, "{metric: perplexity, max: 50}").stdout
    assert len(registry.log()) == 3


def test_a_champion_stays_and_the_difference_is_said(root: Path, call: Call) -> None:
    Registry(root, "poems").promote(1, who="ada", why="first")
    printed = judge(call, root, 1, "{metric: perplexity, max: 30}").stdout
    assert "poems/1 is champion; rejected" in printed and "contested: the latest decision of the gates rejects it" in printed


def test_a_gate_against_the_champion_needs_the_comparison_with_the_present_one(root: Path, call: Call) -> None:
    registry = Registry(root, "poems")
    champion = registry.promote(1, who="ada", why="first")
    register(root, 2, compared={"version": 1, "digest": champion.digest})
    register(root, 3)
    assert "poems/2 is candidate; accepted by the gates of ci" in judge(call, root, 2, AGAINST).stdout
    entries = len(registry.log())
    error = judge(call, root, 3, AGAINST).exception
    assert isinstance(error, BadInput) and "poems/3: it was compared with no champion, and the champion is poems/1" in str(error)
    registry.start_canary(3, who="ada", why="try")
    registry.promote(3, who="ada", why="better")
    error = judge(call, root, 2, AGAINST).exception
    assert isinstance(error, BadInput) and "it was compared with poems/1, and the champion is poems/3" in str(error)
    assert len(registry.log()) == entries + 2
    assert judge(call, root, 2, "{metric: perplexity, max: 50}").exit_code == 0


def test_planted_strings_an_old_card_and_an_empty_reason_are_refused(root: Path, call: Call) -> None:
    register(root, 2, planted=8)
    register(root, 3, card={})
    for number, message in ((2, "planted canary strings"), (3, "its card does not have all that the gates read")):
        error = judge(call, root, number, "{metric: perplexity, max: 50}").exception
        assert isinstance(error, BadInput) and message in str(error)
    result = call(
        root,
        "judge-again",
        "1",
        "--profile",
        "ci",
        "--set",
        "gates=[{metric: '*', drop: test}, {metric: perplexity, max: 50}]",
        "--why",
        " ",
    )
    assert isinstance(result.exception, BadInput) and "`why` is empty" in str(result.exception)
    assert len(Registry(root, "poems").log()) == 3
