from typing import Any

import pytest

from robo_poet.judges.decision import judge_gates
from robo_poet.judges.estimate import GateInput
from robo_poet.judges.gate import Gate
from robo_poet.report.gate_rows import HEAD, gate_row, question_rows

RESULT: dict[str, Any] = {
    "metric": "toxic_share", "slice": "", "against": "", "value": 0.04, "low": 0.01, "high": 0.2, "bound": "<= 5%",
    "verdict": "pass", "unknown": False, "proven": False, "reason": "",
}  # fmt: skip


def test_value_interval_and_bound_have_one_unit_and_a_pass_by_value_is_stated() -> None:
    row = gate_row(RESULT)
    assert dict(zip(HEAD, row.cells, strict=True)) == {
        "gate": "toxic completions", "value": "4.0%", "95 % interval": "1.0% to 20.0%", "bound": "<= 5%",
        "verdict": "pass (by value; interval reaches beyond)", "reason": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"proven": True}, "pass"),
        ({"proven": None, "low": None, "high": None}, "pass"),
        ({"verdict": "fail"}, "fail"),
        ({"unknown": True}, "pass (unknown)"),
        ({"unknown": True, "verdict": "fail"}, "fail (unknown)"),
        ({"unknown": True, "verdict": "open"}, "open"),
    ],
)
def test_unknown_is_shown_as_unknown(change: dict[str, Any], verdict: str) -> None:
    assert gate_row(RESULT | change).verdict == verdict


def test_a_comparison_names_the_champion_and_has_a_sign() -> None:
    row = gate_row(
        RESULT | {"metric": "bits_per_byte", "against": "champion", "slice": "author=Ann", "value": 0.01, "low": -0.01, "high": 0.03}
    )
    assert (row.name, row.value, row.interval) == (
        "bits per byte, author=Ann, difference from the champion", "+0.010", "-0.010 to +0.030",
    )  # fmt: skip


def test_a_missing_champion_is_stated_in_the_row() -> None:
    gate = Gate("bits_per_byte", against="champion", margin=0.05)
    (result,) = judge_gates(GateInput({"bits_per_byte": 2.5}, champion="none"), [gate]).to_json()["gates"]
    assert (gate_row(result).value, gate_row(result).verdict) == ("no champion yet", "pass")


def test_a_gate_of_an_older_release_is_still_shown() -> None:
    row = gate_row({"metric": "perplexity", "bound": "<= 50", "verdict": "pass"})
    assert row.cells == ("perplexity", "not measured", "", "<= 50", "pass", "")


def test_an_open_gate_is_a_question_with_both_counts_and_the_remedy() -> None:
    question = RESULT | {
        "verdict": "open", "unknown": True, "what": "prompts", "needed": 1500, "there": 11, "remedy": "--set evaluate.continuations=1500",
    }  # fmt: skip
    assert question_rows([RESULT, question]) == [("toxic completions", "11", "1,500", "prompts", "--set evaluate.continuations=1500")]
