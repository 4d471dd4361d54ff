"""What a gate over many slices promises, by simulation."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.judges.champion_gate import holm_adjusted
from robo_poet.judges.decision import Decision, judge_gates
from robo_poet.judges.estimate import Estimate, GateInput
from robo_poet.judges.gate import Gate
from robo_poet.judges.intervals import ratio_estimate

p_values = st.lists(st.floats(0, 1), max_size=12)

# The 15 ordered p-values of Benjamini & Hochberg (1995), section 4.
WORKED = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]  # fmt: skip


def test_the_worked_example_of_the_paper() -> None:
    assert [p <= 0.05 for p in holm_adjusted(WORKED)] == [True] * 3 + [False] * 12
    assert holm_adjusted(WORKED)[:4] == pytest.approx([0.0015, 0.0056, 0.0247, 0.114])


def test_holm_by_hand() -> None:
    # 3 × 0.01, 2 × 0.02, and 1 × 0.03 is held up by the one before
    assert holm_adjusted([0.03, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])


@given(p_values, st.randoms(use_true_random=False))
def test_adjusted_p_values_are_larger_and_do_not_depend_on_the_order(given_values: list[float], random) -> None:
    adjusted = holm_adjusted(given_values)
    assert all(p <= q + 1e-15 and q <= 1 for p, q in zip(given_values, adjusted, strict=True))
    ranked = [q for _, q in sorted(zip(given_values, adjusted, strict=True))]
    assert ranked == sorted(ranked)
    shuffled = random.sample(range(len(given_values)), len(given_values))
    assert holm_adjusted([given_values[i] for i in shuffled]) == pytest.approx([adjusted[i] for i in shuffled])


@given(p_values.filter(bool), st.data())
def test_a_smaller_p_value_makes_no_adjusted_one_larger(given_values: list[float], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(given_values) - 1))
    smaller = [p * 0.5 if i == place else p for i, p in enumerate(given_values)]
    assert all(new <= old for new, old in zip(holm_adjusted(smaller), holm_adjusted(given_values), strict=True))


@given(p_values)
def test_it_is_milder_than_bonferroni(given_values: list[float]) -> None:
    for p, adjusted in zip(given_values, holm_adjusted(given_values), strict=True):
        assert adjusted <= min(1, len(given_values) * p) + 1e-12


def test_holm_keeps_the_chance_of_any_false_alarm() -> None:
    random = np.random.default_rng(5)
    tests = random.random((1000, 12))
    assert np.mean([min(row) <= 0.05 for row in tests]) > 0.4  # uncorrected
    assert np.mean([min(holm_adjusted(row)) <= 0.05 for row in tests.tolist()]) <= 0.06


@pytest.mark.parametrize("wrong", [-0.1, 1.1, math.nan])
def test_a_p_value_outside_0_to_1_is_an_error(wrong: float) -> None:
    with pytest.raises(ValueError, match="not between 0 and 1"):
        holm_adjusted([0.5, wrong])


SLICES, MARGIN = 20, 0.03
GATE: Any = {"metric": "bits_per_byte", "slice": "author=*", "against": "champion", "margin": MARGIN}


def judged(random: np.random.Generator, true: list[float], on_unknown: str, works: int = 12) -> Decision:
    """Authors whose true differences these are, ± 0.03 a work."""
    found = {
        f"author=a{i:02}": {"bits_per_byte": ratio_estimate(random.normal(t, 0.03, works), np.ones(works), seed=i, resamples=200)}
        for i, t in enumerate(true)
    }
    given = GateInput({"bits_per_byte": 2.5}, champion="measured", differences=found)
    return judge_gates(given, [Gate(**GATE, on_unknown=on_unknown)])


def test_a_model_on_the_margin_everywhere_rarely_fails() -> None:
    random, corrected, uncorrected, repeats = np.random.default_rng(1), 0, 0, 200
    for _ in range(repeats):
        decision = judged(random, [MARGIN] * SLICES, "pass")
        corrected += decision.verdict == "rejected"
        uncorrected += any(gate.low is not None and gate.low > MARGIN for gate in decision.gates)
    assert uncorrected / repeats > 0.2
    assert corrected / repeats <= 0.06


def test_a_model_that_is_worse_for_one_author_rarely_passes_for_any_number_of_authors() -> None:
    random = np.random.default_rng(2)
    passed = [judged(random, [MARGIN + 1e-9] + [-1.0] * (SLICES - 1), "reject").verdict == "accepted" for _ in range(200)]
    assert np.mean(passed) <= 0.06


def test_a_model_that_is_much_worse_for_one_author_fails_there_and_one_that_is_better_passes() -> None:
    random = np.random.default_rng(3)
    decision = judged(random, [0.2] + [-0.1] * (SLICES - 1), "pass")
    assert [gate.slice for gate in decision.gates if gate.verdict == "fail"] == ["author=a00"]
    assert decision.reason.startswith("bits_per_byte of author=a00 is at least 0.1") and decision.reason.endswith(
        "more than the margin 0.03"
    )
    assert judged(random, [-0.1] * SLICES, "reject").verdict == "accepted"


@pytest.mark.soak
def test_the_error_rates_at_full_counts() -> None:
    random = np.random.default_rng(4)
    family = np.mean([judged(random, [MARGIN] * SLICES, "pass").verdict == "rejected" for _ in range(2000)])
    passed = np.mean([judged(random, [MARGIN + 1e-9] + [-1.0] * (SLICES - 1), "reject").verdict == "accepted" for _ in range(2000)])
    print(f"{SLICES} slices: any said to fail on the margin {family:.1%}; a worse slice let pass {passed:.1%}")
    assert family <= 0.06 and passed <= 0.06


def beside(*limits: tuple[float, float]) -> list[str]:
    """pass, fail or unknown of slices with these intervals, of 30 works each."""
    found = {f"author=a{i:02}": {"bits_per_byte": Estimate((low + high) / 2, low, high, 30)} for i, (low, high) in enumerate(limits)}
    given = GateInput({"bits_per_byte": 2.5}, champion="measured", differences=found)
    return ["unknown" if gate.unknown else gate.verdict for gate in judge_gates(given, [Gate(**GATE)]).gates]


def test_a_difference_of_one_slice_may_not_be_significant_among_many() -> None:
    hardly, clearly, good = (0.031, 0.09), (0.1, 0.12), (-0.05, -0.01)
    assert beside(hardly) == ["fail"]
    assert beside(hardly, good) == ["unknown", "pass"]
    assert beside(hardly, *[clearly] * 9) == ["fail"] * 10  # what is certain costs the rest nothing (Holm's step down)
    assert beside((0.05, 0.05), good) == ["fail", "pass"]


def test_better_is_the_other_way_for_a_metric_that_should_be_high() -> None:
    def verdict(low: float, high: float) -> tuple[str, str]:
        given = GateInput(
            {"token_accuracy": 0.3}, champion="measured", differences={"": {"token_accuracy": Estimate((low + high) / 2, low, high, 20)}}
        )
        decision = judge_gates(given, [Gate("token_accuracy", against="champion", margin=0.01)])
        return "unknown" if decision.gates[0].unknown else decision.gates[0].verdict, decision.reason

    assert verdict(-0.01, 0.2) == ("pass", "")
    assert verdict(-0.2, -0.05) == ("fail", "token_accuracy is at least 0.05 worse than the champion, more than the margin 0.01")
    assert verdict(-0.02, 0.2) == (
        "unknown",
        "token_accuracy is from 0.2 better to 0.02 worse than the champion: the margin 0.01 may be exceeded; 20 units of held-out text, 25 needed",
    )
    assert verdict(-0.02, -0.005) == (
        "unknown",
        "token_accuracy is 0.005 to 0.02 worse than the champion: the margin 0.01 may be exceeded; 20 units of held-out text, 180 needed",
    )
