"""What holds for all measurements and gates."""

import itertools
import json
import math
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from robo_poet.judges.decision import judge_gates
from robo_poet.judges.estimate import Estimate, GateInput, Shortage, finite
from robo_poet.judges.gate import Gate

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


FEW_PROMPTS = Shortage("prompts in group religion/atheists", 15, 11, remedy="--set audit.prompts=45")


def lacking(value: Any, shortage: Shortage = FEW_PROMPTS, metric: str = "bleu") -> GateInput:
    return GateInput({"perplexity": 60, **({} if value == "absent" else {metric: value})}, shortages={"": {metric: shortage}})


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
