"""Gates with `on_unknown: warn`: what was measured too little is an open question; everything else that is unknown is rejected."""

import math
from dataclasses import replace
from typing import Any

import pytest

from robo_poet.judges.decision import judge_gates
from robo_poet.judges.estimate import Estimate, GateInput, Shortage
from robo_poet.judges.gate import Gate

FEW_PROMPTS = Shortage("prompts in group religion/atheists", 15, 11, remedy="--set audit.prompts=45")


def lacking(value: Any, shortage: Shortage = FEW_PROMPTS, metric: str = "bleu") -> GateInput:
    return GateInput({"perplexity": 60, **({} if value == "absent" else {metric: value})}, shortages={"": {metric: shortage}})


def test_an_amount_that_is_too_small_is_an_open_question_with_what_was_needed_and_there() -> None:
    decision = judge_gates(lacking(None), [Gate("perplexity", max=100), Gate("bleu", min=0.1, on_unknown="warn")])
    assert (decision.verdict, decision.reason) == ("accepted", "")
    assert decision.to_json()["open_questions"] == [
        {
            "metric": "bleu", "against": "", "slice": "", "what": "prompts in group religion/atheists", "needed": 15, "there": 11,
            "reason": "bleu could not be measured: 11 prompts in group religion/atheists, 15 needed", "remedy": "--set audit.prompts=45",
        }
    ]  # fmt: skip
    assert [gate.verdict for gate in decision.gates] == ["pass", "open"]


@pytest.mark.parametrize(
    ("measured", "reason"),
    [
        (lacking("absent"), "bleu was not measured: 11 prompts in group religion/atheists, 15 needed"),
        (lacking(math.nan), "bleu is nan, not a finite number"),
        (lacking(math.inf), "bleu is inf, not a finite number"),
        (
            lacking(None, replace(FEW_PROMPTS, kind="missing")),
            "bleu could not be measured: 11 prompts in group religion/atheists, 15 needed",
        ),
        (lacking(None, replace(FEW_PROMPTS, there=0)), "bleu could not be measured: 0 prompts in group religion/atheists, 15 needed"),
        (lacking(None, replace(FEW_PROMPTS, there=15)), "bleu could not be measured: 15 prompts in group religion/atheists, 15 needed"),
        (lacking(None, metric="other"), "bleu was not measured"),
    ],
)
def test_everything_else_that_is_unknown_is_rejected_under_warn(measured: GateInput, reason: str) -> None:
    decision = judge_gates(measured, [Gate("bleu", min=0.1, on_unknown="warn")])
    assert (decision.verdict, decision.reason, decision.open_questions) == ("rejected", reason, [])


def test_a_value_far_outside_the_bound_is_rejected_however_little_was_measured() -> None:
    """An untrained model became champion on 30 notes: perplexity 504 with 512 tokens, worse than the unigram model."""
    gate = Gate("bleu", min=0.25, on_unknown="warn")
    assert [judge_gates(lacking(value), [gate]).verdict for value in (-0.2, 0.0, 0.12, 0.13)] == ["rejected"] * 3 + ["accepted"]
    upper = Gate("bleu", max=0.25, on_unknown="warn")
    assert [judge_gates(lacking(value), [upper]).verdict for value in (0.26, 0.5, 0.51)] == ["accepted"] * 2 + ["rejected"]
    assert judge_gates(lacking(0.001), [Gate("bleu", max=0, on_unknown="warn")]).verdict == "rejected"
    wide = replace(lacking(0.02), intervals={"bleu": Estimate(0.02, 0.0, 1.5, 11)})  # the interval says how little is known
    assert judge_gates(wide, [gate]).verdict == "accepted"


def test_a_value_outside_the_bound_is_open_if_the_step_says_that_too_little_was_measured() -> None:
    gate = Gate("bleu", min=0.25, on_unknown="warn")
    [result] = judge_gates(lacking(0.2), [gate]).gates
    assert (result.verdict, result.value, result.needed) == ("open", 0.2, 15)
    assert result.reason == "bleu is 0.2, below 0.25, but too little was measured: 11 prompts in group religion/atheists, 15 needed"
    assert judge_gates(lacking(0.2), [replace(gate, on_unknown="reject")]).verdict == "rejected"
    assert judge_gates(lacking(0.2, replace(FEW_PROMPTS, kind="doubt")), [gate]).verdict == "rejected"
    inside = replace(lacking(0.3), intervals={"bleu": Estimate(0.3, 0.1, 0.5, 11)})
    assert judge_gates(inside, [gate]).gates[0].verdict == "pass"
    assert judge_gates(lacking(0.3), [gate]).gates[0].verdict == "open", "without an interval, a value from too little text says nothing"


@pytest.mark.parametrize(
    ("limit", "gap", "verdict", "needed"),
    [
        (1.174, 0.263, "open", 48),  # 40 pairs × (0.911 / 0.837)²
        (1.1, 0.263, "pass", None),
        (1.5, 1.1, "fail", None),  # the value below the limit is on the bound: more pairs do not help
        (1.5, 1.2, "fail", None),
        (90.0, 1.0, "fail", None),  # no realistic number of pairs settles it
    ],
)
def test_an_upper_limit_above_the_bound_is_open_only_if_the_value_is_within(
    limit: float, gap: float, verdict: str, needed: int | None
) -> None:
    limited = {"bias_likelihood_reach": Estimate(gap, 0, limit, 40, "pairs in group gender/women")}
    measured = GateInput({"bias_likelihood_reach": limit}, limited=limited)
    [gate] = judge_gates(measured, [Gate("bias_likelihood_reach", max=1.1, on_unknown="warn")]).gates
    assert (gate.verdict, gate.needed) == (verdict, needed)
    [rejected] = judge_gates(measured, [Gate("bias_likelihood_reach", max=1.1)]).gates
    assert rejected.verdict == ("pass" if verdict == "pass" else "fail")
    if verdict == "open":
        assert gate.reason == (
            "bias_likelihood_reach is 1.174 nats, above 1.1 nats, but too little was measured: 40 pairs in group gender/women, 48 needed"
        )
    without = judge_gates(replace(measured, limited={}), [Gate("bias_likelihood_reach", max=1.1, on_unknown="warn")]).gates[0]
    assert without.verdict == ("pass" if verdict == "pass" else "fail")


@pytest.mark.parametrize(
    ("low", "value", "high", "state", "needed"),
    [
        (-0.05, 0.0, 0.05, "open", 32),  # 20 units × (0.05 / 0.04)²
        (-0.01, 0.03, 0.07, "open", 320),
        (0.01, 0.05, 0.09, "fail", 320),  # the value exceeds the margin, but not significantly: evidence against the model is not open
        (0.045, 0.06, 0.075, "fail", None),
    ],
)
def test_a_wide_interval_is_open_only_if_the_value_keeps_the_margin(
    low: float, value: float, high: float, state: str, needed: int | None
) -> None:
    measured = GateInput(
        {"bits_per_byte": 2.5}, champion="measured", differences={"": {"bits_per_byte": Estimate(value, low, high, 20, "block")}}
    )
    (result,) = judge_gates(measured, [Gate("bits_per_byte", against="champion", margin=0.04, on_unknown="warn")]).gates
    assert (result.verdict, result.needed) == (state, needed)
    if state == "open":
        assert result.what == "blocks of held-out text" and result.needed
        enough = Estimate(
            value, value - 1 / math.sqrt(result.needed / 20) * (value - low), value + (high - value) / math.sqrt(result.needed / 20), 40
        )
        again = replace(measured, differences={"": {"bits_per_byte": enough}})
        (result,) = judge_gates(again, [Gate("bits_per_byte", against="champion", margin=0.04 + 1e-9, on_unknown="warn")]).gates
        assert result.verdict == "pass"  # with the needed amount, the same value passes
    else:
        assert result.kind in ("doubt", "")
