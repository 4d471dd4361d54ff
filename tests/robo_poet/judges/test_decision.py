"""The gates on metrics of the whole model: every bound is kept, or the model is rejected."""

import json
import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.judges.decision import judge_gates
from robo_poet.judges.gate import Gate

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
        "slice": "", "against": "", "low": None, "high": None, "unknown": False, "proven": None,
        "kind": "", "what": "", "needed": None, "there": None, "remedy": "",
    }  # fmt: skip


def test_the_reason_gives_value_and_bound() -> None:
    decision = judge_gates({"perplexity": 100.5, "bleu": 0.01}, [Gate("perplexity", max=100), Gate("bleu", min=0.02)])
    assert decision.reason == "perplexity is 100.5, above 100; bleu is 0.01, below 0.02"


@pytest.mark.parametrize("value", no_numbers)
def test_a_value_that_is_not_finite_is_rejected(value: Any) -> None:
    decision = judge_gates({"perplexity": value}, [Gate("perplexity", min=-math.inf if value == -math.inf else 0, max=100)])
    assert decision.verdict == "rejected"
    assert decision.gates[0].value is None
    assert "perplexity" in decision.reason
    json.dumps(decision.to_json(), allow_nan=False)


def test_a_missing_metric_is_rejected() -> None:
    assert judge_gates({}, [Gate("bleu", min=0)]).reason == "bleu was not measured"


def test_a_decision_needs_a_gate() -> None:
    decision = judge_gates({"perplexity": 1.0}, [])
    assert (decision.verdict, decision.reason) == ("rejected", "the profile declares no gate")


@pytest.mark.parametrize("gate", [Gate("x"), Gate("x", max=math.nan), Gate("x", max=math.inf), Gate("x", min=-math.inf, max=2)])
def test_an_invalid_bound_is_rejected(gate: Gate) -> None:
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
def test_more_gates_never_accept_a_rejected_model(metrics: dict[str, float | None], gates: list[Gate], more: Gate) -> None:
    if judge_gates(metrics, gates).verdict == "rejected":
        assert judge_gates(metrics, [*gates, more]).verdict == "rejected"


def test_the_gates_import_only_the_standard_library() -> None:
    """Their image has none."""
    code = "import sys, robo_poet.judges.decision; sys.exit(any(name in sys.modules for name in ('numpy', 'scipy', 'pandas')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
