"""Verdict and reason of each kind of gate: on the whole, on slices, against the champion."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from robo_poet.judges.decision import GateResult, judge_gates
from robo_poet.judges.estimate import Estimate, GateInput, Shortage
from robo_poet.judges.gate import Gate


def estimate(value: float, half: float = 0.01, units: int = 30) -> Estimate:
    return Estimate(value, value - half, value + half, units)


UNKNOWN = Estimate(2.0, -math.inf, math.inf, 3)
EMPTY = Estimate(math.nan, -math.inf, math.inf, 0)
MEASURED = GateInput(
    metrics={"bits_per_byte": 2.5, "perplexity": 60, "bleu": None},
    intervals={"bits_per_byte": estimate(2.5)},
    slices={
        "author=A": {"bits_per_byte": estimate(2.4), "perplexity": estimate(50, 5)},
        "author=B": {"bits_per_byte": estimate(2.8), "perplexity": estimate(90, 5)},
        "author=few": {"bits_per_byte": UNKNOWN, "perplexity": UNKNOWN},
        "period=empty": {"bits_per_byte": EMPTY},
        "period=nan": {"bits_per_byte": Estimate(math.nan, -math.inf, math.inf, 9)},
        "period=null": {"bits_per_byte": Estimate(2.5, None, None, 40)},  # type: ignore[arg-type]  # infinite limits in JSON
        "author=A,period=1600": {"bits_per_byte": estimate(2.4)},
    },
    champion="measured",
    differences={
        "": {"bits_per_byte": estimate(0.0)},
        "author=A": {"bits_per_byte": estimate(-0.5, 0.25)},
        "author=B": {"bits_per_byte": estimate(0.1)},
        "author=few": {"bits_per_byte": UNKNOWN},
        "period=only": {"bits_per_byte": estimate(-0.1)},
        "period=nan": {"bits_per_byte": Estimate(math.nan, -math.inf, math.inf, 9)},
    },
)
NONE, UNREADABLE = replace(MEASURED, champion="none", differences={}), replace(MEASURED, champion="unreadable", differences={})
CHAMPION: Any = {"metric": "bits_per_byte", "against": "champion", "margin": 0.02}


def only(measured: GateInput, gate: Gate) -> GateResult:
    (result,) = judge_gates(measured, [gate]).gates
    json.dumps(judge_gates(measured, [gate]).to_json(), allow_nan=False)
    return result


@pytest.mark.parametrize(
    ("measured", "gate", "verdict", "reason"),
    [
        # the whole
        (MEASURED, Gate("bits_per_byte", max=2.5), "pass", ""),
        (MEASURED, Gate("bits_per_byte", max=2.4), "fail", "bits_per_byte is 2.5, above 2.4"),
        (MEASURED, Gate("bleu", min=0), "fail", "bleu could not be measured"),
        (MEASURED, Gate("bleu", min=0, on_unknown="pass"), "fail", "bleu could not be measured"),
        (MEASURED, Gate("blue", min=0, on_unknown="pass"), "fail", "blue was not measured"),
        (MEASURED, Gate("blue", min=0, slice="author=A", on_unknown="pass"), "fail", "blue was not measured"),
        # slices
        (MEASURED, Gate("perplexity", max=60, slice="author=A"), "pass", ""),
        (MEASURED, Gate("perplexity", max=60, slice="author=B"), "fail", "perplexity of author=B is 90, above 60"),
        (MEASURED, Gate("bits_per_byte", max=3, slice="period=1600,author=A"), "pass", ""),
        (MEASURED, Gate("perplexity", max=60, slice="author=few"), "unknown", "perplexity of author=few cannot be judged: 3 units of author=few, 5 needed"),
        (MEASURED, Gate("bits_per_byte", max=3, slice="period=null"), "unknown", "bits_per_byte of period=null cannot be judged: 40 units of period=null, 80 needed"),
        (MEASURED, Gate("perplexity", max=60, slice="author=C"), "unknown", "there is no slice author=C"),
        (MEASURED, Gate("perplexity", max=60, slice="source=*"), "unknown", "there is no slice source=*"),
        (MEASURED, Gate("perplexity", max=60, slice="period=empty"), "unknown", "perplexity of period=empty was not measured"),
        (MEASURED, Gate("bits_per_byte", max=60, slice="period=empty"), "unknown", "period=empty is empty"),
        (MEASURED, Gate("bits_per_byte", max=3, slice="period=nan", on_unknown="pass"), "fail", "bits_per_byte of period=nan is nan, not a finite number"),
        # the champion
        (MEASURED, Gate(**CHAMPION), "pass", ""),
        (MEASURED, Gate(**CHAMPION, slice="author=A"), "pass", ""),
        (MEASURED, Gate(**CHAMPION, slice="author=B"), "fail", "bits_per_byte of author=B is at least 0.09 worse than the champion, more than the margin 0.02"),
        (MEASURED, Gate(**{**CHAMPION, "margin": 0.005}), "unknown", "bits_per_byte is from 0.01 better to 0.01 worse than the champion: the margin 0.005 may be exceeded; 30 units of held-out text, 120 needed"),
        (MEASURED, Gate(**CHAMPION, slice="author=few"), "unknown", "bits_per_byte of author=few cannot be compared: 3 units of author=few, 5 needed"),
        (MEASURED, Gate(**CHAMPION, slice="period=only"), "pass", ""),
        (MEASURED, Gate(**CHAMPION, slice="period=null"), "unknown", "bits_per_byte of period=null was not compared with the champion"),
        (MEASURED, Gate(**{**CHAMPION, "metric": "perplexity"}), "unknown", "perplexity was not compared with the champion"),
        (MEASURED, Gate(**{**CHAMPION, "metric": "bleu"}, on_unknown="pass"), "fail", "bleu could not be measured"),
        (NONE, Gate(**CHAMPION), "pass", "no champion yet"),
        (NONE, Gate(**CHAMPION, slice="author=A"), "pass", "no champion yet"),
        (NONE, Gate(**CHAMPION, slice="author=C"), "unknown", "there is no slice author=C"),
        (NONE, Gate(**{**CHAMPION, "metric": "bleu"}), "fail", "bleu could not be measured"),
        (NONE, Gate("bits_per_byte", against="champion"), "fail", "gate on bits_per_byte against the champion needs a margin: a finite number, 0 or more"),
        (UNREADABLE, Gate(**CHAMPION), "unknown", "bits_per_byte cannot be compared: the champion could not be measured"),
        (UNREADABLE, Gate(**CHAMPION, slice="author=A"), "unknown", "bits_per_byte of author=A cannot be compared: the champion could not be measured"),
        (replace(MEASURED, differences={}), Gate(**CHAMPION), "unknown", "bits_per_byte was not compared with the champion"),
        (replace(MEASURED, champion="?"), Gate(**CHAMPION), "unknown", "bits_per_byte cannot be compared: the champion could not be measured"),  # type: ignore[arg-type]
        # a gate that can judge nothing
        (MEASURED, Gate("bits_per_byte", max=3, margin=1, on_unknown="pass"), "fail", "gate on bits_per_byte has a margin but no comparison: add against: champion"),
        (MEASURED, Gate("bits_per_byte", max=3, slice="author", on_unknown="pass"), "fail", "gate on bits_per_byte: wrong slice: 'author' is not feature=value"),
    ],
)  # fmt: skip
def test_every_verdict_and_its_reason(measured: GateInput, gate: Gate, verdict: str, reason: str) -> None:
    result = only(measured, gate)
    if verdict != "unknown":
        assert (result.verdict, result.reason, result.unknown) == (verdict, reason, False)
        return
    assert (result.verdict, result.reason, result.unknown) == ("fail", reason, True)
    passing = only(measured, replace(gate, on_unknown="pass"))
    assert (passing.verdict, passing.reason, passing.unknown) == ("pass", f"{reason}; passes because on_unknown is pass", True)
    assert only(measured, replace(gate, on_unknown="perhaps")).verdict != "pass"  # type: ignore[arg-type]


def test_a_value_without_an_interval_is_unknown_if_the_text_was_too_little_for_one() -> None:
    """A model judged on one held-out document of 2 kB became champion with all gates passed."""
    short = Shortage("documents of held-out text", 5, 1)
    measured = GateInput({"bits_per_byte": 2.0}, shortages={"": {"bits_per_byte": short}})
    result = only(measured, Gate("bits_per_byte", max=3))
    assert (result.verdict, result.unknown) == ("fail", True)
    assert result.reason == "bits_per_byte is 2, but too little was measured: 1 documents of held-out text, 5 needed"
    assert only(measured, Gate("bits_per_byte", max=3, on_unknown="warn")).verdict == "open"
    assert only(GateInput({"bits_per_byte": 2.0}), Gate("bits_per_byte", max=3)).verdict == "pass"


@pytest.mark.parametrize(
    ("gate", "reaches"),
    [
        (Gate("bits_per_byte", max=2.495), True),
        (Gate("bits_per_byte", max=2.49), True),  # a bound is inclusive
        (Gate("bits_per_byte", max=2.4), False),
        (Gate("bits_per_byte", min=2.505), True),
        (Gate("bits_per_byte", min=2.6), False),
    ],
)
def test_a_failure_by_value_says_that_the_interval_reaches_within_the_bound(gate: Gate, reaches: bool) -> None:
    result = only(MEASURED, gate)
    assert result.verdict == "fail" and result.reason.endswith(" (by value; the interval reaches within the bound)") == reaches


def test_metrics_without_a_comparison_leave_the_champion_unknown() -> None:
    assert judge_gates({"bits_per_byte": 2.5}, [Gate(**CHAMPION)]).verdict == "rejected"


def test_the_result_shows_the_interval_and_the_difference() -> None:
    assert only(MEASURED, Gate("bits_per_byte", max=3)) == GateResult(
        "bits_per_byte", 2.5, "<= 3", "pass", "", low=2.49, high=2.51, proven=True
    )
    found = only(MEASURED, Gate(**CHAMPION, slice="author=A"))
    assert found == GateResult("bits_per_byte", -0.5, "<= champion + 0.02", "pass", "", "author=A", "champion", -0.75, -0.25, proven=True)


@pytest.mark.parametrize(
    ("gate", "proven"),
    [
        (Gate("perplexity", max=52), True), (Gate("perplexity", max=50), False), (Gate("perplexity", min=49), True),
        (Gate("perplexity", min=49.5, max=52), False), (Gate("size", max=9), None),
    ],
)  # fmt: skip
def test_a_pass_by_value_differs_from_a_pass_of_the_whole_interval(gate: Gate, proven: bool | None) -> None:
    given = GateInput({"perplexity": 50, "size": 5}, {"perplexity": Estimate(math.nan, 49, 52, 9)})
    found = only(given, gate)
    assert (found.verdict, found.proven) == ("pass", proven)


def test_a_wildcard_gives_one_result_per_slice() -> None:
    decision = judge_gates(MEASURED, [Gate("perplexity", max=60, slice="author=*")])
    assert [(gate.slice, gate.verdict, gate.unknown) for gate in decision.gates] == [
        ("author=A", "pass", False), ("author=B", "fail", False), ("author=few", "fail", True),
    ]  # fmt: skip
    assert (
        decision.reason
        == "perplexity of author=B is 90, above 60; perplexity of author=few cannot be judged: 3 units of author=few, 5 needed"
    )
