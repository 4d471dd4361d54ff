import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.judges.bias import Bias, PairedGaps, judge_bias

AXES = {"gender": ["women", "men", "nonbinary"], "religion": ["a", "b", "c", "d"], "origin": ["e", "f", "g", "h", "i"]}
GROUPS = sum(map(len, AXES.values()))
NOISE = {
    "normal": lambda r, n: r.normal(size=n),
    "skewed": lambda r, n: r.exponential(size=n) - 1,
    "skewed down": lambda r, n: 1 - r.exponential(size=n),
}


def made(
    random: np.random.Generator, templates: int, truth: float, law: str = "normal", pairs: int = 2, alike: float = 0.5, groups: int = GROUPS
) -> Any:
    """Gaps of deviation 1 around `truth`: half of the variance is the template's, of which groups share the part `alike`."""
    names = [f"template {i}" for i in range(templates) for _ in range(pairs)]
    common, made = NOISE[law](random, templates), {}
    for axis, members in AXES.items():
        made[axis] = {}
        for group in members:
            own = math.sqrt(alike) * common + math.sqrt(1 - alike) * NOISE[law](random, templates)
            mean = truth if groups > 0 else 0.0
            groups -= 1
            made[axis][group] = PairedGaps(names, mean + np.sqrt(0.5) * (np.repeat(own, pairs) + random.normal(size=templates * pairs)))
    return made


def plain(gaps: dict[str, list[float]], **given: Any) -> Bias:
    """One axis, one pair a template."""
    return judge_bias(
        {"axis": {k: PairedGaps([f"t{i}" for i in range(len(v))], v) for k, v in gaps.items()}}, given.pop("bound", 0.5), seed=1, **given
    )


def error_rates(law: str, templates: int, alike: float, repeats: int, resamples: int) -> tuple[float, float, float]:
    """Of models all of whose gaps lie on the bound: rejected by `excess`; any simultaneous interval wrong; any own interval wrong."""
    random, bound, counts = np.random.default_rng(13), 0.5, np.zeros(3)
    for seed in range(repeats):
        found = judge_bias(made(random, templates, bound, law, alike=alike), bound, seed=seed, resamples=resamples)
        wrong = [not (one.simultaneous.low <= bound <= one.simultaneous.high) for one in found.groups]
        own = [not (one.gap.low <= bound <= one.gap.high) for one in found.groups]
        counts += [found.excess is not None and found.excess > bound, any(wrong), any(own)]
    rejected, family, uncorrected = counts / repeats
    return float(rejected), float(family), float(uncorrected)


def test_a_fair_model_is_rarely_rejected_for_any_number_of_groups() -> None:
    rejected, family, uncorrected = error_rates("normal", 24, 0.5, repeats=200, resamples=300)
    assert rejected <= 0.06
    assert family <= 0.08  # ± 0.017 is chance; the full count is in soak
    assert uncorrected > 0.2  # what the simultaneous intervals are for


@pytest.mark.soak
@pytest.mark.parametrize("templates", [8, 20, 60])
@pytest.mark.parametrize(("law", "alike"), [("normal", 0.0), ("normal", 0.7), ("skewed", 0.0), ("skewed down", 0.0)])
def test_the_type_1_error_of_the_gate(law: str, templates: int, alike: float) -> None:
    rejected, family, uncorrected = error_rates(law, templates, alike, repeats=2000, resamples=500)
    print(f"{law}, {templates} templates, alike {alike}: rejected {rejected:.1%}, family-wise {family:.1%}, uncorrected {uncorrected:.1%}")
    assert rejected <= 0.06
    assert family <= (0.06 if law == "normal" else 0.08)


@pytest.mark.soak
@pytest.mark.parametrize("bound", [0.1, 0.3])
def test_the_type_1_error_where_groups_are_wild_and_tame(bound: float) -> None:
    """Half of the groups have a gap in some of a dozen templates only; the mean of every group's law is the bound."""
    templates, repeats, counts = [f"t{i}" for i in range(12)], 1500, np.zeros(2)
    for seed in range(repeats):
        random = np.random.default_rng(seed)
        wild = {f"w{n}": (random.random(12) < 0.6) * random.normal(bound / 0.6, 0.3, 12) for n in range(6)}
        tame = {f"t{n}": random.normal(bound, 0.3, 12) for n in range(6)}
        gaps = {name: PairedGaps(templates, values) for name, values in {**wild, **tame}.items()}
        found = judge_bias({"axis": gaps}, bound, seed=seed, resamples=1000)
        wrong = [not (one.simultaneous.low <= bound <= one.simultaneous.high) for one in found.groups]
        counts += [found.excess is not None and found.excess > bound, any(wrong)]
    rejected, family = counts / repeats
    print(f"wild and tame, bound {bound}: rejected {rejected:.1%}, family-wise {family:.1%}")
    assert rejected <= 0.06 and family <= 0.06


def power(beyond: float, templates: int, repeats: int) -> float:
    """How often one biased group of twelve is found, its gap so many deviations beyond the bound."""
    random, bound = np.random.default_rng(17), 0.1
    found = [judge_bias(made(random, templates, bound + beyond, groups=1), bound, seed=s, resamples=300) for s in range(repeats)]
    return float(np.mean([one.excess is not None and one.excess > bound for one in found]))


def test_a_biased_group_among_twelve_is_found() -> None:
    found = power(0.8, 40, 60)
    print(f"power at 0.8 deviations beyond the bound, 40 templates of 2 pairs: {found:.0%}")
    assert found >= 0.95


@pytest.mark.soak
@pytest.mark.parametrize(("beyond", "templates", "floor"), [(0.5, 40, 0.5), (0.5, 80, 0.9), (0.8, 20, 0.55), (0.8, 40, 0.97)])
def test_the_power_of_the_gate(beyond: float, templates: int, floor: float) -> None:
    found = power(beyond, templates, 1000)
    print(f"power at {beyond} deviations beyond the bound, {templates} templates of 2 pairs: {found:.1%}")
    assert found >= floor


def test_fair_biased_and_unknown() -> None:
    random = np.random.default_rng(2)
    found = plain({
        "fair": list(random.normal(0, 0.5, 60)), "biased": list(random.normal(-2, 0.5, 60)), "scattered": list(random.normal(0, 5, 60)),
    })  # fmt: skip
    assert [one.verdict for one in found.groups] == ["fair", "biased", "unknown"]
    assert (found.worst, found.unknown) == ("axis: biased", 1)
    biased, scattered = found.groups[1], found.groups[2]
    assert found.worst_gap == pytest.approx(2, abs=0.2)
    assert found.excess == -biased.simultaneous.high > 0.5  # below −bound is as biased as above
    assert found.reach == max(2 * abs(biased.gap.value) - found.excess, -scattered.simultaneous.low, scattered.simultaneous.high)
    assert biased.effect == pytest.approx(-4, abs=0.8)


def test_the_effect_is_hedges_corrected() -> None:
    found = plain({"g": [1.0, 2, 3, 4, 5, 6]}).groups[0]
    assert found.effect == pytest.approx(3.5 / math.sqrt(3.5) * (1 - 3 / 19))
    assert plain({"g": [0.1] * 9}).groups[0].effect is None


def test_pairs_of_one_template_are_not_independent() -> None:
    random = np.random.default_rng(3)
    values = random.normal(0, 1, 10)
    once = judge_bias({"a": {"g": PairedGaps([f"t{i}" for i in range(10)], values)}}, 1, seed=1)
    often = judge_bias({"a": {"g": PairedGaps([f"t{i}" for i in range(10)] * 50, np.tile(values, 50))}}, 1, seed=1)
    assert often.groups[0].pairs == 500 and often.groups[0].gap.units == 10
    assert (often.groups[0].gap.low, often.groups[0].gap.high) == pytest.approx((once.groups[0].gap.low, once.groups[0].gap.high))


@given(st.integers(0, 999), st.floats(0, 2))
def test_the_summary_follows_from_the_groups(seed: int, bound: float) -> None:
    random = np.random.default_rng(seed)
    found = judge_bias(made(random, 10, random.normal()), bound, seed=seed, resamples=100)
    assert len(found.groups) == GROUPS
    for one in found.groups:
        assert one.simultaneous.low <= one.gap.low <= one.gap.value <= one.gap.high <= one.simultaneous.high
    assert found.worst_gap == max(abs(one.gap.value) for one in found.groups)
    assert found.unknown == sum(one.verdict == "unknown" for one in found.groups)
    if found.excess is not None and found.reach is not None:
        assert 0 <= found.excess <= found.worst_gap <= found.reach
        assert (found.excess > bound) == any(one.verdict == "biased" for one in found.groups)
        assert (found.reach <= bound) == all(one.verdict == "fair" for one in found.groups)


@given(st.integers(0, 999))
def test_the_sign_and_the_order_of_groups_do_not_matter(seed: int) -> None:
    gaps = made(np.random.default_rng(seed), 8, 0.3)
    one = judge_bias(gaps, 0.5, seed=2, resamples=100)
    turned = {
        axis: {name: PairedGaps(g.templates, -np.asarray(g.gaps)) for name, g in reversed(groups.items())}
        for axis, groups in reversed(gaps.items())
    }
    other = judge_bias(turned, 0.5, seed=2, resamples=100)
    assert (other.worst, other.unknown) == (one.worst, one.unknown)
    assert (other.worst_gap, other.excess, other.reach) == pytest.approx((one.worst_gap, one.excess, one.reach))


def test_no_gap_at_all_is_fair() -> None:
    found = plain({"g": [0.0] * 20, "h": [0.0] * 20}, bound=0)
    assert ([one.verdict for one in found.groups], found.worst_gap, found.excess, found.reach, found.unknown) == (["fair"] * 2, 0, 0, 0, 0)


@pytest.mark.parametrize("broken", [[], [1.0] * 4, [math.nan] * 20, [0.0] * 19 + [math.inf]])
def test_a_group_that_cannot_be_measured_makes_the_metric_unknown(broken: list[float]) -> None:
    random = np.random.default_rng(2)
    found = plain({"fair": list(random.normal(0, 0.1, 60)), "broken": broken})
    assert [one.verdict for one in found.groups] == ["fair", "unknown"]
    assert (found.excess, found.reach, found.unknown) == (None, None, 1)


@pytest.mark.parametrize("gaps", [[0.0] * 11 + [2.0], [0.0] * 10 + [1.0, 2.0]])
def test_a_gap_with_too_few_templates_does_not_widen_the_limits_of_the_others(gaps: list[float]) -> None:
    """Such as the sentiment of a model that has hardly a word for it: most pairs are equal, and one is not."""
    random = np.random.default_rng(5)
    others = {"fair": list(random.normal(0, 0.1, 12)), "biased": list(random.normal(2, 0.1, 12))}
    alone, found = plain(others), plain({**others, "seldom": gaps})
    assert [one.verdict for one in found.groups] == ["fair", "biased", "unknown"]
    assert math.isinf(found.groups[2].simultaneous.high) and found.reach is None
    assert [one.simultaneous for one in found.groups[:2]] == [one.simultaneous for one in alone.groups] and found.excess == alone.excess
    fair = plain({"fair": others["fair"], "seldom": gaps})
    assert fair.excess is not None and fair.excess < 0.1


def test_a_large_bias_is_found_next_to_groups_with_few_gaps() -> None:
    """A dozen openings, one pair each, as a small audit asks them: the others' |t| runs wild where a draw has hardly any spread."""
    found = []
    for seed in range(40):
        random = np.random.default_rng(seed)
        others = {f"g{n}": list(random.normal(0, 0.3, 12) * (random.random(12) < 0.6)) for n in range(11)}
        found.append(judge_bias(
            {"axis": {k: PairedGaps([f"t{i}" for i in range(12)], v) for k, v in {**others, "women": list(random.normal(1.4, 0.7, 12))}.items()}},
            0.05, seed=seed, resamples=1000,
        ))  # fmt: skip
    proven = [one.excess is not None and one.excess > 0.05 and one.groups[-1].verdict == "biased" for one in found]
    print(f"proven in {sum(proven)} of {len(proven)}")
    assert sum(proven) >= 30


def test_groups_without_joint_limits_are_left_out_in_order() -> None:
    """Each has its gaps in three of twelve templates: of one alone 3 % of draws show no spread, of four 12 %."""
    sparse = {f"s{at}": [float(place // 3 == at) * (1 + place % 3) for place in range(12)] for at in range(4)}
    found = plain(sparse)
    assert all(math.isfinite(one.gap.high) for one in found.groups)
    told = [math.isfinite(one.simultaneous.high) for one in found.groups]
    assert 1 <= sum(told) < 4 and found.reach is None and found.excess is not None


@pytest.mark.parametrize("gaps", [{}, {"axis": {}}])
def test_a_bias_without_measurements_is_unknown(gaps: dict[str, dict[str, PairedGaps]]) -> None:
    assert judge_bias(gaps, 0.5, seed=1) == Bias((), "", None, None, None, None)


@pytest.mark.parametrize("bound", [-1, math.nan, math.inf])
def test_an_invalid_bound_is_an_error(bound: float) -> None:
    with pytest.raises(ValueError, match="is not a finite number of at least 0"):
        judge_bias({}, bound, seed=1)


def test_gaps_without_a_template_each_are_an_error() -> None:
    with pytest.raises(ValueError, match="1 templates and 2 gaps"):
        judge_bias({"a": {"g": PairedGaps(["t"], [1, 2])}}, 0.5, seed=1)
