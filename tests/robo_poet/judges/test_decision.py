import itertools
import json
import math
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.judges.decision import GateResult, judge_gates
from robo_poet.judges.estimate import Estimate, GateInput, Shortage, finite
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


some = st.none() | st.sampled_from([math.nan, math.inf]) | st.floats(-3, 3)


@st.composite
def estimates(draw: st.DrawFn) -> Estimate:
    value, known = draw(some), draw(st.booleans())
    low, high = ((value or 0) - draw(st.floats(0, 2)), (value or 0) + draw(st.floats(0, 2))) if known else (-math.inf, math.inf)
    return Estimate(value, low, high, draw(st.integers(0, 40)))  # type: ignore[arg-type]


@st.composite
def measurements(draw: st.DrawFn) -> GateInput:
    of = st.dictionaries(st.sampled_from(["bits_per_byte", "token_accuracy", "other"]), estimates(), max_size=3)
    keys = st.sampled_from(["author=A", "author=B", "author=C", "author=A,period=1"])
    champion = draw(st.sampled_from(["none", "measured", "measured", "unreadable"]))
    metrics = draw(st.dictionaries(st.sampled_from(["bits_per_byte", "token_accuracy", "other"]), some))
    lacking = st.builds(
        Shortage, st.just("prompts in a group"), st.integers(0, 30), st.integers(0, 30), st.sampled_from(["amount", "missing"])
    )
    shortages = st.dictionaries(keys | st.just(""), st.dictionaries(st.sampled_from(["bits_per_byte", "other", ""]), lacking))
    slices, differences = draw(st.dictionaries(keys, of)), draw(st.dictionaries(keys | st.just(""), of))
    return GateInput(metrics, draw(of), slices, champion, differences, draw(shortages))  # type: ignore[arg-type]


any_gate = st.builds(
    Gate,
    st.sampled_from(["bits_per_byte", "token_accuracy", "other", "absent"]),
    st.none() | st.floats(-3, 3),
    st.none() | st.floats(-3, 3),
    st.sampled_from(["", "author=A", "author=*", "period=1,author=*", "author"]),
    st.sampled_from(["", "champion"]),
    st.none() | st.floats(0, 2) | st.sampled_from([-1.0, math.nan]),
    st.sampled_from(["reject", "warn", "pass"]),
)


@given(measurements(), st.lists(any_gate, max_size=4), st.randoms(use_true_random=False))
def test_accepted_means_that_every_gate_passes_in_any_order(measured: GateInput, gates: list[Gate], random: Any) -> None:
    decision = judge_gates(measured, gates)
    assert (decision.verdict == "accepted") == (bool(gates) and all(gate.verdict in ("pass", "open") for gate in decision.gates))
    assert bool(decision.reason) == (decision.verdict == "rejected")
    assert len(decision.gates) >= len(gates)
    turned = judge_gates(measured, random.sample(gates, len(gates)))
    assert turned.verdict == decision.verdict
    assert sorted(map(repr, turned.gates)) == sorted(map(repr, decision.gates))
    json.dumps(decision.to_json(), allow_nan=False)


@given(measurements(), any_gate)
def test_an_unknown_value_passes_only_if_the_gate_allows_it(measured: GateInput, gate: Gate) -> None:
    for result in judge_gates(measured, [gate]).gates:
        if result.verdict == "pass" and result.unknown:
            assert gate.on_unknown == "pass" and result.reason.endswith("passes because on_unknown is pass")
        elif result.verdict == "pass" and result.value is None:
            assert measured.champion == "none" and gate.against and result.reason == "no champion yet"
        if result.verdict == "pass" and result.slice == "":
            assert measured.metrics.get(gate.metric) is not None


def moved(measured: GateInput, by: float) -> GateInput:
    """Every figure better by so much: bits per byte lower, accuracy higher, intervals with them."""
    signs = {"bits_per_byte": -by, "token_accuracy": by}

    def shift(metric: str, one: Estimate) -> Estimate:
        step = signs.get(metric, 0.0)
        return Estimate(None if one.value is None else one.value + step, one.low + step, one.high + step, one.units)  # type: ignore[arg-type]

    def all_of(table: Any) -> Any:
        return {key: {metric: shift(metric, one) for metric, one in found.items()} for key, found in table.items()}

    metrics = {name: value if value is None else value + signs.get(name, 0.0) for name, value in measured.metrics.items()}
    return replace(measured, metrics=metrics, slices=all_of(measured.slices), differences=all_of(measured.differences))


@given(measurements(), any_gate, st.floats(0.001, 2))
def test_a_better_model_never_fails_where_a_worse_one_passed(measured: GateInput, gate: Gate, by: float) -> None:
    limits = {"bits_per_byte": {"min": None}, "token_accuracy": {"max": None}}.get(gate.metric, {})
    gate = replace(gate, **limits)  # a bound on the good side asks for something else
    before, after = judge_gates(measured, [gate]), judge_gates(moved(measured, by), [gate])
    for old, new in itertools.zip_longest(before.gates, after.gates):
        assert old.slice == new.slice
        assert new.verdict == "pass" or old.verdict == "fail"


def test_the_gates_import_only_the_standard_library() -> None:
    """Their image has none."""
    code = "import sys, robo_poet.judges.decision; sys.exit(any(name in sys.modules for name in ('numpy', 'scipy', 'pandas')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


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
    assert judge_gates(lacking(0.3), [gate]).gates[0].verdict == "pass"


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


@given(measurements(), st.lists(any_gate, min_size=1, max_size=4), any_gate)
def test_an_open_question_never_makes_a_rejected_model_accepted(measured: GateInput, gates: list[Gate], more: Gate) -> None:
    before = judge_gates(measured, gates)
    after = judge_gates(measured, [*gates, replace(more, on_unknown="warn")])
    if before.verdict == "rejected":
        assert after.verdict == "rejected"
    for question in after.open_questions:
        assert 0 < question["there"] < question["needed"] and f"{question['needed']:,} needed" in question["reason"]


@given(measurements(), any_gate)
def test_warn_is_never_stricter_than_reject_nor_laxer_than_pass(measured: GateInput, gate: Gate) -> None:
    verdicts = [judge_gates(measured, [replace(gate, on_unknown=each)]).verdict for each in ("reject", "warn", "pass")]  # type: ignore[arg-type]
    assert sorted(verdicts, reverse=True) == verdicts  # rejected, then accepted


@given(measurements(), any_gate)
def test_a_metric_that_is_missing_or_nan_is_never_open(measured: GateInput, gate: Gate) -> None:
    for result in judge_gates(measured, [replace(gate, on_unknown="warn")]).gates:
        value = measured.metrics.get(gate.metric, "absent")
        if not result.slice and finite(value) is None and not (value is None and gate.metric in measured.metrics):
            assert result.verdict != "open"
        if not result.slice and value is None and not measured.shortage("", gate.metric):
            assert result.verdict != "open"


@given(measurements(), any_gate, st.floats(1.1, 50))
def test_more_data_never_makes_a_passed_gate_unknown(measured: GateInput, gate: Gate, factor: float) -> None:
    """More text of the same kind: the same values, narrower intervals, more units, and whatever was lacking is there."""

    def narrower(found: Any) -> Estimate:
        value, low, high = finite(found.value), finite(found.low), finite(found.high)
        if value is None or low is None or high is None:
            return found  # type: ignore[no-any-return]
        return Estimate(value, value - (value - low) / factor, value + (high - value) / factor, math.ceil(found.units * factor))

    def all_narrower(found: Any) -> Any:
        return {key: {metric: narrower(each) for metric, each in by_metric.items()} for key, by_metric in found.items()}

    more = replace(
        measured,
        slices=all_narrower(measured.slices),
        differences=all_narrower(measured.differences),
        shortages={key: {m: replace(s, there=s.needed) for m, s in found.items()} for key, found in measured.shortages.items()},
    )
    before, after = (judge_gates(each, [gate]).gates for each in (measured, more))
    for old, new in zip(before, after, strict=True):
        if old.verdict == "pass" and not old.unknown:
            assert new.verdict == "pass" and not new.unknown


@given(measurements(), any_gate)
def test_every_unknown_says_what_was_needed_and_what_was_there(measured: GateInput, gate: Gate) -> None:
    for result in judge_gates(measured, [gate]).gates:
        if result.unknown:
            assert result.kind and result.what and result.needed is not None and result.there is not None
