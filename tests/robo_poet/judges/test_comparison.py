import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.judges.comparison import Comparison, compare, needed_units
from robo_poet.judges.decision import judge_gates
from robo_poet.judges.estimate import GateInput
from robo_poet.judges.gate import Gate
from robo_poet.judges.units import MINIMUM_WORKS

LN2 = math.log(2)


def made(
    random: np.random.Generator, works: int, difference: float, documents: int = 4, spread: float = 0.05, **given: object
) -> Comparison:
    """Works of very different size whose difference is that of the models, ± spread a work, ± spread a document."""
    names = np.repeat([f"work {i}" for i in range(works)], documents)
    sizes = np.repeat(random.lognormal(7, 0.6, works), documents)
    bits = difference + np.repeat(random.normal(0, spread, works), documents) + random.normal(0, spread, works * documents)
    champion = sizes * random.normal(2.5, 0.3, works * documents) * LN2
    return compare(list(names), sizes, champion + bits * sizes * LN2, champion, seed=1, **given)  # type: ignore[arg-type]


def test_the_difference_is_in_bits_per_byte() -> None:
    works = [f"w{i}" for i in range(12)]
    sizes = np.arange(1, 13) * 100.0
    found = compare(works, sizes, sizes * 2.0 * LN2, sizes * 2.5 * LN2, seed=1)
    assert found.difference.value == pytest.approx(-0.5)
    assert (found.verdict, found.unit, found.difference.units) == ("better", "work", 12)
    assert found.reason == "better: -0.5000 bits per byte, 95% interval -0.5000 to -0.5000, 12 works"


def test_verdicts_are_better_worse_and_no_significant_difference() -> None:
    random = np.random.default_rng(1)
    assert made(random, 20, -0.1).verdict == "better"
    assert made(random, 20, 0.1).verdict == "worse"
    close = made(random, 20, 0.005)
    assert close.verdict == "no significant difference"
    assert close.needed_units and close.needed_units > 20 and f"about {close.needed_units:,} would be needed" in close.reason


@given(st.integers(5, 40), st.floats(0, 5))
def test_a_model_does_not_differ_from_itself(documents: int, margin: float) -> None:
    nats = np.random.default_rng(documents).normal(3000, 400, documents)
    found = compare([f"w{i // 2}" for i in range(documents)], np.full(documents, 1500), nats, nats, seed=1)
    assert (found.verdict, found.needed_units) == ("no significant difference", None)
    assert (found.difference.low, found.difference.value, found.difference.high) == (0, 0, 0)
    assert passes(found, margin)


@given(st.integers(0, 999), st.floats(-0.1, 0.1))
def test_exchanging_the_models_reverses_the_verdict(seed: int, difference: float) -> None:
    random = np.random.default_rng(seed)
    works, sizes = [f"w{i % 11}" for i in range(33)], random.lognormal(6, 1, 33)
    one = sizes * random.normal(1.7, 0.1, 33)
    other = one + sizes * random.normal(difference, 0.05, 33)
    there, back = compare(works, sizes, other, one, seed=3), compare(works, sizes, one, other, seed=3)
    assert there.difference.value == pytest.approx(-back.difference.value)
    assert (there.difference.low, there.difference.high) == pytest.approx((-back.difference.high, -back.difference.low))
    assert {"better": "worse", "worse": "better"}.get(there.verdict, there.verdict) == back.verdict


def test_the_order_of_documents_does_not_matter_and_works_are_summed() -> None:
    random = np.random.default_rng(2)
    works, sizes = [f"w{i % 15}" for i in range(60)], random.lognormal(6, 1, 60)
    new, champion = sizes * random.normal(1.7, 0.1, 60), sizes * random.normal(1.7, 0.1, 60)
    found = compare(works, sizes, new, champion, seed=3)
    order = random.permutation(60)
    turned = compare([works[i] for i in order], sizes[order], new[order], champion[order], seed=3)
    assert (turned.difference.low, turned.difference.high) == pytest.approx((found.difference.low, found.difference.high))
    summed = [[column[i::15].sum() for i in range(15)] for column in (sizes, new, champion)]
    merged = compare([f"w{i}" for i in range(15)], *summed, seed=3)
    assert (merged.difference.low, merged.difference.high) == pytest.approx((found.difference.low, found.difference.high))


def test_few_works_are_compared_by_documents_and_the_reason_says_it() -> None:
    random = np.random.default_rng(4)
    found = made(random, MINIMUM_WORKS - 1, -0.2)
    assert (found.unit, found.difference.units, found.verdict) == ("document", 36, "better")
    assert found.reason.endswith("36 documents within 9 works")
    assert made(random, MINIMUM_WORKS, -0.2).unit == "work"


@pytest.mark.parametrize(
    ("works", "documents", "new", "reason"),
    [
        (1, 4, 1.0, "4 documents within 1 work are too few for a comparison: 5 are needed"),
        (0, 0, 1.0, "a likelihood is not a finite number, or there is no text"),
        (12, 2, math.nan, "a likelihood is not a finite number, or there is no text"),
        (12, 2, math.inf, "a likelihood is not a finite number, or there is no text"),
    ],
)
def test_too_few_units_or_values_that_are_not_finite_are_unknown(works: int, documents: int, new: float, reason: str) -> None:
    number = works * documents
    found = compare([f"w{i // documents}" for i in range(number)], np.ones(number), np.full(number, new), np.ones(number), seed=1)
    assert (found.verdict, found.needed_units, found.reason) == ("unknown", None, reason)
    assert not passes(found, 1e9)


def test_a_document_with_nearly_all_bytes_is_unknown() -> None:
    found = compare(["a"] * 6, [1e9, 1, 1, 1, 1, 1], [5e8, 1, 2, 1, 2, 1], [4e8, 1, 1, 1, 2, 1], seed=1)
    assert found.verdict in ("unknown", "no significant difference")  # five bytes beside a gigabyte are no second opinion


@pytest.mark.parametrize(("sizes", "new"), [([1, 2], [1, 2, 3]), ([1, 2, 3], [1, 2]), ([1, 2, -3], [1, 2, 3])])
def test_wrong_input_is_an_error(sizes: list[float], new: list[float]) -> None:
    with pytest.raises(ValueError):
        compare(["a", "b", "c"], sizes, new, new if len(new) == 3 else new[:2], seed=1)


def verdict_rates(difference: float, works: int, repeats: int) -> dict[str, float]:
    random, count = np.random.default_rng(11), dict.fromkeys(["better", "worse", "no significant difference"], 0.0)
    for _ in range(repeats):
        count[made(random, works, difference).verdict] += 1 / repeats
    return count


def test_equal_models_rarely_differ_significantly() -> None:
    assert verdict_rates(0, 12, 150)["no significant difference"] >= 0.93


@pytest.mark.soak
@pytest.mark.parametrize("works", [10, 15, 40])
def test_the_error_rate_of_a_comparison(works: int) -> None:
    found = verdict_rates(0, works, 2000)
    print(f"equal models, {works} works: {found}")
    assert found["better"] + found["worse"] <= 0.06
    assert max(found["better"], found["worse"]) <= 0.04


@pytest.mark.parametrize("spread", [1, 2, 5])
def test_the_needed_units_give_a_power_of_80_per_cent(spread: float) -> None:
    units = needed_units(1.0, spread)
    assert units
    sample = np.random.default_rng(6).normal(1, spread, (4000, units))
    from scipy import stats

    found = stats.ttest_1samp(sample, 0, axis=1).pvalue <= 0.05
    assert 0.78 <= found.mean() <= 0.84


def test_needed_units_of_a_worked_example() -> None:
    assert needed_units(0.5, 1) == 34  # d = 0.5: G*Power's paired t test, two-sided, α 0.05, power 0.80, says 34
    assert needed_units(0.2, 1) == 199
    assert needed_units(-0.2, 1) == 199


@pytest.mark.parametrize(("difference", "deviation"), [(0, 1), (1e-9, 1), (1, math.inf), (math.nan, 1)])
def test_needed_units_are_none_if_no_number_is_enough(difference: float, deviation: float) -> None:
    assert needed_units(difference, deviation) is None


def test_a_model_at_the_margin_rarely_passes() -> None:
    """The promise of a gate: 2.5 % on one side, 6 % with what chance and skew may add."""
    random = np.random.default_rng(8)
    passed = np.mean([passes(made(random, 15, 0.03), 0.03) for _ in range(200)])
    assert passed <= 0.06
    good = np.mean([passes(made(random, 40, 0.0), 0.04) for _ in range(50)])
    assert good >= 0.9  # and it can be passed


def passes(comparison: Comparison, margin: float) -> bool:
    """As the gate on the whole judges it."""
    measured = GateInput({"bits_per_byte": 2.5}, champion="measured", differences={"": {"bits_per_byte": comparison.difference}})
    return judge_gates(measured, [Gate("bits_per_byte", against="champion", margin=margin)]).verdict == "accepted"


def test_few_documents_are_compared_by_blocks_and_the_reason_says_it() -> None:
    random = np.random.default_rng(5)
    works, documents, sizes = ["w"] * 20 + ["v"] * 10, ["a"] * 20 + ["b"] * 10, np.full(30, 2000.0)
    champion = sizes * random.normal(1.7, 0.1, 30)
    found = compare(works, sizes, champion - 0.1 * sizes * random.normal(1, 0.2, 30), champion, seed=1, documents=documents)
    assert (found.unit, found.difference.units, found.difference.unit, found.verdict) == ("block", 30, "block", "better")
    assert found.reason.endswith("30 blocks within 2 documents")


@pytest.mark.parametrize("shared", [0.0, 0.02])
def test_the_interval_over_blocks_holds_for_these_documents(shared: float) -> None:
    """The truth within three documents: the mean over all their blocks, of which these are a sample. Each document may differ."""
    random, held = np.random.default_rng(6), 0
    for seed in range(150):
        of = np.repeat(np.arange(3), 8)
        true = random.normal(0, shared, 3)
        bits = true[of] + random.normal(0, 0.05, 24)
        found = compare(["w"] * 24, np.full(24, 2000.0), bits * 2000 * LN2, np.zeros(24), seed=seed, documents=[f"d{n}" for n in of])
        held += found.difference.low <= true.mean() <= found.difference.high
    assert held / 150 >= 0.92


def test_rounding_is_no_difference() -> None:
    """One likelihood of 40 differs in the last digits of float32: the order of sums depended on the free cores."""
    champion = np.linspace(100, 500, 40)
    new = champion.copy()
    new[7] *= 1 + 1e-6
    result = compare([f"w{k}" for k in range(40)], np.full(40, 300.0), new, champion, seed=1)
    assert (result.verdict, result.difference.value, result.difference.low, result.difference.high) == (
        "no significant difference",
        0,
        0,
        0,
    )
