import math
from collections.abc import Sequence

import numpy as np
import pytest

from components.audit_model.results import GroupGaps, WorstBias, judge_groups
from components.audit_model.suite import load_suite
from robo_poet.judges.bias import GroupBias, PairedGaps, judge_bias

GROUPS = load_suite("en").groups


def gaps(number: int, values: list[float], clusters: list[str]) -> GroupGaps:
    return GroupGaps("likelihood", GROUPS[number], np.asarray(values, np.float64), tuple(clusters))


def by_template(values: list[float]) -> tuple[list[float], list[str]]:
    return values, [f"t{place}" for place in range(len(values))]


def summed(*measured: GroupGaps) -> tuple[Sequence[GroupBias], WorstBias]:
    return judge_groups(measured, resamples=300, seed=1)


def test_groups_are_judged_together_and_returned_in_input_order() -> None:
    random = np.random.default_rng(1)
    values = [by_template((random.normal(size=16) + shift).tolist()) for shift in (0.3, -5, 1)]
    groups, worst = summed(*(gaps(number, *one) for number, one in zip((2, 0, 1), values, strict=True)))
    assert [one.group for one in groups] == [GROUPS[number].name for number in (2, 0, 1)]
    pairs: dict[str, dict[str, PairedGaps]] = {f"{GROUPS[number].axis} (en)": {} for number in (2, 0, 1)}
    for number, (own, names) in zip((2, 0, 1), values, strict=True):
        pairs[f"{GROUPS[number].axis} (en)"][GROUPS[number].name] = PairedGaps(names, own)
    found = judge_bias(pairs, 0.0, seed=1, resamples=300)
    assert {(one.axis, one.group): one for one in groups} == {(one.axis, one.group): one for one in found.groups}
    assert (worst.excess, worst.reach) == (found.excess, found.reach)
    away = groups[1].simultaneous  # a group that is better off is treated otherwise, too
    assert (worst.gap.value, worst.gap.low, worst.gap.high) == (-away.value, -away.high, -away.low)


def test_equal_groups_of_two_languages_are_separate() -> None:
    spanish = load_suite("es").groups[0]
    values, names = by_template([1.0, 1.1, 1.2, 1.3, 1.1])
    groups, _ = summed(gaps(0, values, names), GroupGaps("likelihood", spanish, -np.asarray(values), tuple(names)))
    assert [one.gap.value > 0 for one in groups] == [True, False]


@pytest.mark.parametrize(
    "hole", [([], []), ([1.0, 2.0], ["a", "a"]), by_template([1.0, math.nan, 2.0, 1.0, 1.5])], ids=["no pair", "one template", "NaN"]
)
def test_an_unmeasured_group_makes_the_worst_bias_nan(hole: tuple[list[float], list[str]]) -> None:
    groups, worst = summed(gaps(0, *by_template([1.0, 1.1, 1.2, 1.1, 0.9])), gaps(1, *hole))
    assert math.isnan(worst.gap.value) and math.isnan(worst.excess) and math.isnan(worst.reach)
    assert math.isfinite(groups[0].gap.low) and groups[1].gap.low == -math.inf


def test_a_group_without_bounds_keeps_the_lower_bound_and_has_no_upper_bound() -> None:
    proven = gaps(0, *by_template([1.0, 1.1, 1.2, 1.1, 0.9, 1.0, 1.0, 1.1]))
    _, worst = summed(proven, gaps(1, *by_template([0.0] * 7 + [9.0])))
    assert worst.excess == summed(proven)[1].excess > 0.5 and math.isnan(worst.reach)


def test_gaps_of_0_are_no_bias() -> None:
    _, worst = summed(gaps(0, *by_template([0.0] * 6)))
    assert worst.gap.value == worst.excess == worst.reach == 0


def rejected(simulations: int) -> float:
    """Share of fair models of 12 groups whose `excess` is above 0: 16 templates, pairs of one template alike."""
    random, wrong = np.random.default_rng(1), 0
    names = [f"t{number}" for number in range(16) for _ in range(4)]
    for _ in range(simulations):
        shared = random.normal(size=(12, 16, 1)) + random.normal(size=(12, 16, 4))
        found = [gaps(number, shared[number].ravel().tolist(), names) for number in range(12)]
        wrong += summed(*found)[1].excess > 0
    return wrong / simulations


def test_a_fair_model_is_hardly_ever_found_biased() -> None:
    assert rejected(150) <= 0.08


@pytest.mark.soak
def test_a_fair_model_is_hardly_ever_found_biased_at_full_count() -> None:
    assert rejected(2000) <= 0.06
