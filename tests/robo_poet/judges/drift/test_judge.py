"""Promises of the drift judge. Covers: observations, policy, baseline, rise."""

import json
import math
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.judges.drift.baseline import baseline_json, make_baseline, parse_baseline
from robo_poet.judges.drift.judge import judge_drift
from robo_poet.judges.drift.observations import Baseline, HeldOut, Window, length_class
from robo_poet.judges.drift.policy import DriftPolicy
from robo_poet.judges.drift.rise import rise
from tests.robo_poet.judges.drift.traffic import DAY, Change, hostile, shifted, window

POLICY = DriftPolicy()


@lru_cache
def week() -> tuple[Window, ...]:
    dice = np.random.default_rng(7)
    return tuple(window(dice, day, 300) for day in range(7))


@lru_cache
def baseline() -> Baseline:
    return make_baseline(week())


def days(count: int, change: Change | None = None, users: int = 300, seed: int = 1) -> list[Window]:
    dice = np.random.default_rng(seed)
    return [window(dice, 10 + day, users, change=change) for day in range(count)]


def action(windows: list[Window], policy: DriftPolicy = POLICY) -> str:
    return judge_drift(windows, baseline(), policy).action


def test_a_large_rise_is_a_drift_after_two_windows() -> None:
    windows = days(2, shifted(0.4))
    first, second = judge_drift(windows[:1], baseline(), POLICY), judge_drift(windows, baseline(), POLICY)
    assert (first.action, second.action) == ("rising", "drift")
    assert "an earlier window" in first.reasons[0] and "in 2 consecutive windows" in second.reasons[0]
    assert second.cause == "the world changed" and second.evidence["windows"][0]["rise"] == pytest.approx(0.4, abs=0.1)


def test_unchanged_traffic_is_no_drift() -> None:
    assert action(days(2)) == "no_drift"


def test_a_proven_rise_below_the_limit_is_rising() -> None:
    windows = days(2, shifted(0.16), users=4000)
    verdict = judge_drift(windows, baseline(), POLICY)
    assert verdict.action == "rising" and "needs a rise of 20%" in verdict.reasons[0]


def test_a_return_to_normal_ends_it() -> None:
    windows = [*days(2, shifted(0.4)), replace(days(1, seed=2)[0], start=12 * DAY, end=13 * DAY)]
    assert action(windows) == "no_drift"


@pytest.mark.parametrize("gap", [0.4, 1.0])
def test_windows_with_a_gap_are_not_consecutive(gap: float) -> None:
    first, second = days(2, shifted(0.4))
    later = replace(second, start=second.start + gap * DAY, end=second.end + gap * DAY)
    assert action([first, later]) == ("drift" if gap < 0.5 else "rising")


def test_what_cannot_be_compared_is_said() -> None:
    windows = days(2, shifted(0.4))
    small = replace(windows[1], users=windows[1].users[:99])

    def doubt(windows: list[Window], known: Baseline | None = None) -> str:
        verdict = judge_drift(windows, known or baseline(), POLICY)
        assert verdict.action == "cannot_tell" and verdict.cause == ""
        return verdict.reasons[0]

    assert doubt([]) == "there is no window"
    assert doubt([small]) == "the window has 99 users with a score, 100 needed"
    assert doubt([windows[0], small]).startswith("the window has 99")
    assert doubt([replace(windows[0], unscored=0.3)]) == "30% of the prompts have no score, at most 20% allowed"
    assert "clock was set back" in doubt(windows[::-1])
    assert doubt(windows, make_baseline([small])) == "the baseline has 99 users, 100 needed"
    assert judge_drift(windows, None, POLICY).reasons[0].startswith("the version has no baseline")


def test_an_unusable_window_breaks_the_succession() -> None:
    first, second = days(2, shifted(0.4))
    assert action([replace(first, users=first.users[:50]), second]) == "rising"


def test_few_hostile_users_make_no_drift() -> None:
    """Each user counts once: 5 of 300 users with 12 nats per token move the mean by 0.14 nats, and the bound not at all."""
    windows = [replace(day, users=hostile(day.users, 5)) for day in days(2)]
    assert action(windows) == "no_drift"


def test_shorter_prompts_are_no_drift() -> None:
    """Their perplexity is higher by nature."""
    windows = [replace(day, users=[user for user in day.users if user.tokens < 10]) for day in days(2, users=800)]
    verdict = judge_drift(windows, baseline(), POLICY)
    newest = verdict.evidence["windows"][0]
    assert verdict.action == "no_drift" and newest["perplexity"] > 1.05 * math.exp(baseline().everyone.mean) and abs(newest["rise"]) < 0.08


@given(st.integers(0, 50), st.floats(0, 1), st.floats(0, 0.5))
def test_a_larger_rise_is_never_judged_milder(seed: int, before: float, more: float) -> None:
    order = ["no_drift", "rising", "drift"]
    low, high = (action(days(2, shifted(by), users=120, seed=seed)) for by in (before, (1 + before) * (1 + more) - 1))
    assert order.index(low) <= order.index(high)


@given(st.randoms(use_true_random=False))
def test_the_order_of_users_does_not_matter(shuffle: "np.random.Generator") -> None:
    [day] = days(1, shifted(0.3), users=150)
    users = list(day.users)
    shuffle.shuffle(users)
    one, other = rise(day, baseline(), 0.01), rise(replace(day, users=users), baseline(), 0.01)
    assert other.low == pytest.approx(one.low) and other.estimate == pytest.approx(one.estimate)


def test_the_bound_holds_as_often_as_it_says() -> None:
    """The true rise is 15 %. The one-sided 5 % bounds fail in 5 % of 300 windows each; 1 % to 9 % allow for chance (P < 1e-3)."""
    dice = np.random.default_rng(3)
    low = high = 0
    for _ in range(300):
        made = make_baseline([window(dice, 0, 200)])
        found = rise(window(dice, 1, 150, change=shifted(0.15)), made, 0.05)
        low, high = low + (found.low > 0.15), high + (found.high < 0.15)
    assert 3 <= low <= 27 and 3 <= high <= 27


@pytest.mark.parametrize(("tokens", "name"), [(1, "1-4"), (4.4, "5-8"), (8, "5-8"), (64.5, "65+"), (1000, "65+")])
def test_length_classes(tokens: float, name: str) -> None:
    assert length_class(tokens) == name


@pytest.mark.parametrize(
    "wrong",
    [{"rise": 0.05}, {"proven_rise": -0.1}, {"level": 0.5}, {"windows": 0}, {"min_users": 1}, {"max_unscored": 1.0}, {"model_rise": 0.0}],
)
def test_a_policy_with_a_wrong_value_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"rise|level|windows|max_unscored"):
        DriftPolicy(**wrong)  # type: ignore[arg-type]


def test_a_score_that_is_not_finite_is_refused() -> None:
    [day] = days(1)
    with pytest.raises(ValueError, match="finite"):
        rise(replace(day, users=[replace(day.users[0], nats=float("nan")), *day.users]), baseline(), 0.01)
    with pytest.raises(ValueError, match="needs a user"):
        make_baseline([replace(day, users=[])])


def test_a_baseline_survives_json() -> None:
    data = json.loads(json.dumps(baseline_json(baseline())))
    assert parse_baseline(data) == baseline()
    del data["groups"]["client"]  # as an older release wrote it
    assert baseline_json(parse_baseline(data)) == data and "heldout_sample" not in data
    scored = make_baseline(week(), HeldOut(4.1, "sample", ""))
    assert parse_baseline(json.loads(json.dumps(baseline_json(scored)))) == scored


def test_the_evidence_has_the_score_of_the_held_out_text() -> None:
    made = make_baseline(week(), HeldOut(4.0, "sample", ""))
    verdict = judge_drift(days(2, shifted(0.5)), made, POLICY, HeldOut(4.5, "sample", ""))
    assert (verdict.action, verdict.cause) == ("drift", "the model itself")
    assert verdict.evidence["heldout"] == {"nats": 4.5, "baseline": 4.0, "rise": pytest.approx(math.expm1(0.5)), "doubt": ""}


@pytest.mark.parametrize(
    "change",
    [
        {"everyone": {}},
        {"everyone": {"users": 0, "mean": 1, "deviation": 1}},
        {"groups": {}},
        {"groups": []},
        {"broken": "x"},
        {"broken": math.inf},
    ],
)
def test_json_that_is_no_baseline_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a baseline|could not convert"):
        parse_baseline(baseline_json(baseline()) | change)
