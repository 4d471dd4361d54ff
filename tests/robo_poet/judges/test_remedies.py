import math
import shlex
from dataclasses import replace
from typing import Any

import pytest
import yaml

from robo_poet.judges.decision import judge_gates
from robo_poet.judges.estimate import Estimate, GateInput, Shortage
from robo_poet.judges.gate import Gate
from robo_poet.judges.remedies import MORE_TEXT, Remedies, allow_unknown, combine

REMEDIES = Remedies({"": "more epochs", "copied_share": "fewer epochs"}, {"": "more text"}, {"": "smaller steps"})
CHAMPION: Any = {"metric": "bits_per_byte", "against": "champion", "margin": 0.02}
FEW = Estimate(0.0, -math.inf, math.inf, 3, "document")
MEASURED = GateInput(
    {"perplexity": 60, "copied_share": 0.2, "bleu": None, "bits_per_byte": 2.0},
    slices={"author=few": {"bits_per_byte": FEW}},
    champion="measured",
    differences={"author=few": {"bits_per_byte": FEW}, "": {"bits_per_byte": Estimate(0.03, 0.0, 0.06, 30)}},
)


@pytest.mark.parametrize(
    ("gate", "remedy"),
    [
        (Gate("perplexity", max=100), ""),
        (Gate("perplexity", max=50), "more epochs"),
        (Gate("copied_share", max=0.1), "fewer epochs"),
        (Gate("bleu", min=0.1), "smaller steps"),
        (Gate("absent", min=0.1), "smaller steps"),
        (Gate(**CHAMPION), "more epochs"),  # the value exceeds the margin, though not significantly
        (Gate(**CHAMPION, slice="author=few"), "more text"),
        (Gate(**CHAMPION, slice="author=C"), allow_unknown(Gate(**CHAMPION, slice="author=C"))),
        (Gate("perplexity"), ""),  # a gate without a bound: the profile is wrong, no setting of the run
    ],
)
def test_the_remedy_is_that_of_the_cause(gate: Gate, remedy: str) -> None:
    (result,) = judge_gates(MEASURED, [gate], REMEDIES).gates
    assert result.remedy == remedy
    assert result.verdict == "pass" or judge_gates(MEASURED, [gate]).gates[0].remedy in ("", allow_unknown(gate))


def test_a_step_that_knows_the_amount_has_its_own_remedy() -> None:
    shortage = Shortage("prompts", 15, 11, remedy="--set audit.prompts=45")
    measured = GateInput({"bleu": None}, shortages={"": {"bleu": shortage}})
    for on_unknown, verdict in (("reject", "fail"), ("warn", "open")):
        (result,) = judge_gates(measured, [Gate("bleu", min=0.1, on_unknown=on_unknown)], REMEDIES).gates  # type: ignore[arg-type]
        assert (result.verdict, result.remedy) == (verdict, "--set audit.prompts=45")


TEXT = Remedies({"": MORE_TEXT}, {"": MORE_TEXT}, test_share=0.1)
UNKNOWN: Any = {"perplexity": 60, "test_bytes": 120_000}


@pytest.mark.parametrize(
    ("measured", "gate", "remedies", "remedy"),
    [
        (GateInput(UNKNOWN), Gate("perplexity", max=50), TEXT, "until it has twice its present size (about 1.2 MB more)"),
        (GateInput({"perplexity": 60}), Gate("perplexity", max=50), TEXT, "until it has twice its present size"),
        (GateInput(UNKNOWN), Gate("perplexity", max=50), replace(TEXT, test_share=0.0), "until it has twice its present size"),
        (
            GateInput({**UNKNOWN, "bleu": None}, shortages={"": {"bleu": Shortage("works", 11, 10)}}),
            Gate("bleu", min=0.1), TEXT, "until it has 1.1 times its present size (about 0.1 MB more)",
        ),
        (
            GateInput({**UNKNOWN, "bleu": None}, shortages={"": {"bleu": Shortage("works", 100, 7)}}),
            Gate("bleu", min=0.1), TEXT, "until it has 14.3 times its present size (about 16.0 MB more)",
        ),
    ],
)  # fmt: skip
def test_where_only_text_helps_the_amount_is_said(measured: GateInput, gate: Gate, remedies: Remedies, remedy: str) -> None:
    (result,) = judge_gates(measured, [gate], remedies).gates
    assert result.remedy == f"add text to the corpus, {remedy}"


def test_a_slice_needs_text_of_its_own() -> None:
    (result,) = judge_gates(MEASURED, [Gate(**CHAMPION, slice="author=few")], TEXT).gates
    assert result.remedy == "add text of author=few to the corpus, until it has 1.7 times as much of it"


@pytest.mark.parametrize("key", ["author=C", "author=*", "author=Marlowe%2C Christopher", 'author=O\'Brien "Bo"', ""])
def test_the_option_that_allows_the_unknown_is_the_same_gate_in_yaml(key: str) -> None:
    gate = Gate(**CHAMPION, slice=key)
    text = allow_unknown(gate)
    option, setting = shlex.split(text)
    [line] = yaml.safe_load(setting.removeprefix("gates="))
    assert option == "--set"
    assert line == {**gate.to_json(), "on_unknown": "pass"}


@pytest.mark.parametrize(
    ("remedies", "combined"),
    [
        ([], ""),
        (["", "--set a=1", "--set a=1"], "--set a=1"),
        (["--set train.epochs=12", "--set 'audit.languages=[en, es]'"], "--set train.epochs=12 --set 'audit.languages=[en, es]'"),
        (["--set a=1", "check the corpus", "--set b=2"], "check the corpus"),
        ([MORE_TEXT, "--set a=1", "--set b=2"], "--set a=1 --set b=2"),
        (["check the corpus", "remove the names"], "check the corpus"),
        (["--set train.epochs=12", "--set train.epochs=3"], MORE_TEXT),
    ],
)
def test_the_remedies_of_several_gates_are_one_command(remedies: list[str], combined: str) -> None:
    assert combine(remedies) == combined


def test_after_early_stopping_only_the_quality_has_other_remedies() -> None:
    remedies = Remedies({"": "more epochs", "copied_share": "fewer epochs"}, {"": "more text"}, {"": "smaller steps"}, {"": "more units"})
    after = remedies.after_early_stopping()
    assert after.quality == {"": "more units", "copied_share": "fewer epochs"}
    assert (after.amount, after.missing) == (remedies.amount, remedies.missing)
