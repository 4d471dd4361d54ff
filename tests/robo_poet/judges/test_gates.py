import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.judges.gates import Gate, judge_gates

numbers = st.floats(-1e6, 1e6)
names = st.sampled_from(["perplexity", "bleu", "bias_gap"])
gates = st.builds(Gate, names, st.none() | numbers, st.none() | numbers)
no_numbers: list[Any] = [None, math.nan, math.inf, -math.inf, "12", True, 10**400, [1.0]]


def test_every_gate_passes() -> None:
    decision = judge_gates({"perplexity": 80, "bleu": 0.3, "other": math.nan}, [Gate("perplexity", max=100), Gate("bleu", min=0.3, max=1)])
    assert (decision.verdict, decision.reason) == ("accepted", "")
    assert [gate.bound for gate in decision.gates] == ["<= 100", ">= 0.3 and <= 1"]
    assert decision.to_json()["gates"][0] == {
        "metric": "perplexity", "value": 80, "bound": "<= 100", "verdict": "pass", "reason": "",
        "slice": "", "against": "", "low": None, "high": None, "unknown": False,
    }  # fmt: skip


def test_the_reason_gives_value_and_bound() -> None:
    decision = judge_gates({"perplexity": 100.5, "bleu": 0.01}, [Gate("perplexity", max=100), Gate("bleu", min=0.02)])
    assert decision.reason == "perplexity is 100.5, above 100; bleu is 0.01, below 0.02"


@pytest.mark.parametrize("value", no_numbers)
def test_what_is_no_finite_number_is_rejected(value: Any) -> None:
    decision = judge_gates({"perplexity": value}, [Gate("perplexity", min=-math.inf if value == -math.inf else 0, max=100)])
    assert decision.verdict == "rejected"
    assert decision.gates[0].value is None
    assert "perplexity" in decision.reason
    json.dumps(decision.to_json(), allow_nan=False)


def test_a_missing_metric_is_rejected() -> None:
    assert judge_gates({}, [Gate("bleu", min=0)]).reason == "bleu was not measured"


def test_no_gate_is_no_verdict() -> None:
    decision = judge_gates({"perplexity": 1.0}, [])
    assert (decision.verdict, decision.reason) == ("rejected", "no gate is declared")


@pytest.mark.parametrize("gate", [Gate("x"), Gate("x", max=math.nan), Gate("x", max=math.inf), Gate("x", min=-math.inf, max=2)])
def test_a_bound_that_bounds_nothing_is_rejected(gate: Gate) -> None:
    assert "no bound" in judge_gates({"x": 1.0}, [gate]).reason


@given(st.dictionaries(names, numbers | st.sampled_from(no_numbers)), st.lists(gates, max_size=4))
def test_accepted_means_that_every_bound_is_kept(metrics: dict[str, Any], gates: list[Gate]) -> None:
    def kept(gate: Gate) -> bool:
        value: Any = metrics.get(gate.metric)
        if type(value) not in (int, float) or not -1e300 < value < 1e300 or (gate.min is None and gate.max is None):
            return False
        return (gate.min is None or gate.min <= value) and (gate.max is None or value <= gate.max)

    decision = judge_gates(metrics, gates)
    assert [gate.verdict == "pass" for gate in decision.gates] == [kept(gate) for gate in gates]
    assert (decision.verdict == "accepted") == (bool(gates) and all(map(kept, gates)))
    assert bool(decision.reason) == (decision.verdict == "rejected")
    assert decision == judge_gates(metrics, gates)


@given(st.dictionaries(names, numbers), st.lists(gates, min_size=1, max_size=4), gates)
def test_another_gate_never_turns_a_rejection(metrics: dict[str, float | None], gates: list[Gate], more: Gate) -> None:
    if judge_gates(metrics, gates).verdict == "rejected":
        assert judge_gates(metrics, [*gates, more]).verdict == "rejected"
