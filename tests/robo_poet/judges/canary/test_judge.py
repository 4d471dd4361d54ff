import json
import math
from dataclasses import replace

import numpy as np
import pytest

from robo_poet.judges.canary.judge import judge
from robo_poet.judges.canary.observations import CANARY, CHAMPION, StepFacts, UserObservation
from robo_poet.judges.canary.policy import Guardrail, Policy

POLICY = Policy()
LAST = len(POLICY.steps) - 1
HOUR = 3600.0
FACTS = StepFacts(
    step=LAST, started=10 * HOUR, now=20 * HOUR, canary_started=0.0, lost={CHAMPION: 0.0, CANARY: 0.0}, identified=True, newest=20 * HOUR
)


def users(count: int, seed: int = 1, steps: int = 4, first: int = 0, **canary: float) -> list[UserObservation]:
    """Return users who go through the steps. `canary` gives the canary's rates: failed, refused, slow, degenerate, length, quality, rating."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(count):
        step = first + min(number * steps // count, steps - 1)
        arm = CANARY if random.random() < POLICY.share(step) else CHAMPION
        usual = {"failed": 0.01, "refused": 0.01, "slow": 0.04, "degenerate": 0.01, "length": 0.6, "rating": 0.0, "quality": 0.0}
        rates = {**usual, **(canary if arm == CANARY else {})}
        requests = int(random.choice([1, 1, 2, 5, 20]))
        failed, refused, slow, degenerate = (int(random.binomial(requests, rates[n])) for n in ("failed", "refused", "slow", "degenerate"))
        completions = requests - min(requests, failed)
        length = completions * float(np.clip(random.normal(rates["length"], 0.12), 0, 1))
        quality = random.normal(canary.get("quality", 0.0), 0.1)
        rated = int("rating" in canary and number % 4 == 0)
        made.append(UserObservation(
            step, arm, f"user {number}", float(number), requests, failed, refused, completions, min(slow, completions),
            min(degenerate, completions), length, quality, rated, rated * float(np.clip(random.normal(rates["rating"], 0.3), -1, 1)),
        ))  # fmt: skip
    return made


def test_an_equal_version_is_promoted() -> None:
    verdict = judge(users(5000), FACTS, POLICY)
    assert verdict.action == "promote", verdict.reasons
    assert "errors, refusals, slow, degenerate, length, quality" in verdict.reasons[0]


@pytest.mark.parametrize(
    ("harm", "label"),
    [
        ({"failed": 0.08}, "failed requests"), ({"refused": 0.08}, "withheld answers"), ({"slow": 0.2}, "slow requests"),
        ({"degenerate": 0.15}, "degenerate texts"), ({"length": 0.4}, "length of a completion"),
        ({"length": 0.8}, "length of a completion"), ({"quality": 0.15}, "quality"),
    ],
)  # fmt: skip
def test_each_harm_is_rolled_back_with_its_reason(harm: dict[str, float], label: str) -> None:
    verdict = judge(users(3000, **harm), FACTS, POLICY)
    assert verdict.action == "roll_back" and label in verdict.reasons[0] and "margin" in verdict.reasons[0], verdict.reasons


def test_more_than_half_of_the_users_need_the_proof_of_a_promotion() -> None:
    few, many = users(700, steps=3), users(4000, steps=3)
    facts = replace(FACTS, step=2)
    assert POLICY.steps[2:] == (0.5, 0.95)
    waiting = judge(few, facts, replace(POLICY, min_users=200))
    assert waiting.action == "continue" and "more users" in waiting.reasons[0], waiting.reasons
    ready = judge(many, facts, POLICY)
    assert ready.action == "next_step" and "harm above the margin is excluded" in ready.reasons[0], ready.reasons
    half = replace(POLICY, min_users=200, steps=(0.05, 0.25, 0.4, 0.5))  # its last step is not above one half
    assert judge(few, facts, half).action == "next_step"


@pytest.mark.parametrize("good", [100, 250, 450])
def test_a_harm_that_begins_within_a_step_is_rolled_back_and_never_promoted(good: int) -> None:
    """The first users without any failure must not outweigh the others: 40 % of failures once had an estimate of 12 points."""
    policy = replace(POLICY, steps=(0.5,), false_rollback=1e-4, false_promotion=1e-4, guardrails={"errors": Guardrail(0.2)})
    random, seen = np.random.default_rng(good), []
    facts = replace(FACTS, step=0)
    for number in range(good + 1500):
        arm = CANARY if random.random() < 0.5 else CHAMPION
        failed = int(arm == CANARY and number >= good and random.random() < 0.4)
        seen.append(UserObservation(0, arm, f"user {number}", float(number), 1, failed, 0, 1 - failed, 0, 0, 0.8 * (1 - failed), None))
    actions = [judge(seen[:count], facts, policy, bounds=False).action for count in range(good + 100, len(seen) + 1, 100)]
    assert actions[-1] == "roll_back", actions


def test_bad_ratings_hold_and_good_ones_promote_nothing() -> None:
    verdict = judge(users(5000, rating=-0.8), FACTS, POLICY)
    assert verdict.action == "hold" and "ratings" in verdict.reasons[0]
    verdict = judge(users(400, rating=0.8), FACTS, POLICY)
    assert verdict.action == "continue"


def test_no_traffic_is_no_verdict() -> None:
    for step in range(5):
        verdict = judge([], replace(FACTS, step=step, now=11 * HOUR, newest=11 * HOUR), POLICY)
        assert verdict.action == "continue", step


def test_a_step_needs_its_users_and_its_time() -> None:
    first = users(600, steps=1)
    facts = replace(FACTS, step=0)
    assert judge(first, facts, POLICY).action == "next_step"
    assert judge(first[:400], facts, POLICY).reasons == ("400 of 500 users in this step",)
    assert judge(first, replace(facts, now=10.5 * HOUR, newest=10.5 * HOUR), POLICY).reasons == ("30 of 60 minutes in this step",)


@pytest.mark.parametrize(
    ("changes", "action", "reason"),
    [
        ({"lost": {CHAMPION: 0.0, CANARY: 0.02}}, "hold", "2.0% of the records of the canary are lost"),
        ({"lost": {CHAMPION: math.nan, CANARY: 0.0}}, "hold", "lost"),
        ({"fallback": 0.2}, "hold", "cannot be called"),
    ],
)  # fmt: skip
def test_incomplete_records_stop_a_promotion_but_no_roll_back(changes: dict[str, object], action: str, reason: str) -> None:
    """A canary that kills the gateway loses records. It must not keep its users because of that."""
    facts = replace(FACTS, **changes)  # type: ignore[arg-type]
    verdict = judge(users(3000), facts, POLICY, bounds=False)
    assert verdict.action == action and reason in verdict.reasons[0]
    assert judge(users(3000, failed=0.3), facts, POLICY, bounds=False).action == "roll_back"


@pytest.mark.parametrize(
    ("changes", "action", "reason"),
    [
        ({"identified": False}, "hold", "1 user"), ({"newest": 18.5 * HOUR}, "continue", "90 minutes old"),
        ({"now": 9 * HOUR, "newest": 9 * HOUR}, "continue", "clock"),
    ],
)  # fmt: skip
def test_doubtful_data_decide_nothing(changes: dict[str, object], action: str, reason: str) -> None:
    for harm in ({}, {"failed": 0.3}):
        verdict = judge(users(1500, **harm), replace(FACTS, **changes), POLICY, bounds=False)  # type: ignore[arg-type]
        assert verdict.action == action and reason in verdict.reasons[0]


def test_a_watch_without_any_record_does_not_end() -> None:
    facts = replace(FACTS, step=4, now=100 * HOUR, newest=None)
    assert judge([], facts, POLICY).reasons == ("cannot tell: there is no record of any gateway",)


def test_a_failing_version_is_rolled_back_for_its_errors_and_a_repaired_one_is_not() -> None:
    """A user whose requests all failed says nothing about the length of a completion."""
    some = [user if n % 5 else replace(user, failed=user.requests, completions=0, length=0.0) for n, user in enumerate(users(3000))]
    for arm, action in ((CANARY, "roll_back"), (CHAMPION, "promote")):
        mixed = [failed if whole.arm == arm else whole for failed, whole in zip(some, users(3000), strict=True)]
        verdict = judge(mixed, FACTS, POLICY)
        assert verdict.action == action and not any("length" in reason for reason in verdict.reasons if action == "roll_back")
        assert -0.05 < verdict.evidence["guardrails"]["length"]["estimate"] < 0.05


def test_a_version_that_never_answers_is_not_promoted_for_an_unknown_length() -> None:
    policy = Policy(guardrails={"length": Guardrail(0.1)})
    some = [replace(user, completions=0, length=0.0) if user.arm == CANARY else user for user in users(5000)]
    verdict = judge(some, FACTS, policy)
    assert verdict.action == "continue" and not verdict.evidence["guardrails"]["length"]["safe"]


def test_a_canary_that_clients_give_up_on_is_rolled_back() -> None:
    """Its requests end with 499: they did not fail, but they were slow and gave no text."""
    some = [
        replace(user, completions=0, failed=0, refused=0, degenerate=0, length=0.0, slow=user.requests) if user.arm == CANARY else user
        for user in users(3000)
    ]
    verdict = judge(some, FACTS, POLICY)
    assert verdict.action == "roll_back" and [reason.split(" +")[0] for reason in verdict.reasons] == ["slow requests"], verdict.reasons


def test_a_harm_that_begins_in_the_last_step_is_not_promoted() -> None:
    for seed in range(4):
        early, late = users(9000, seed=seed, steps=3), users(700, seed=seed + 50, steps=1, first=3, failed=0.2)
        late = [replace(user, user=f"late {user.user}", frozen=user.frozen + 9000) for user in late]
        assert judge(early + late, FACTS, POLICY, bounds=False).action != "promote"


def test_a_step_without_users_yet_is_not_a_step_without_names() -> None:
    first = users(600, steps=1)
    assert judge(first, replace(FACTS, step=1, identified=False), POLICY).reasons[0] == "0 of 500 users in this step"


def test_a_timeout_does_what_the_policy_says() -> None:
    late = replace(FACTS, now=200 * HOUR, newest=200 * HOUR)
    for action in ("hold", "roll_back"):
        verdict = judge(users(300), late, Policy(on_timeout=action))
        assert verdict.action == action and "not enough evidence after 168 h" in verdict.reasons[0]


def test_the_watch_ends_or_rolls_back() -> None:
    facts = replace(FACTS, step=4, now=15 * HOUR, newest=15 * HOUR)
    assert judge(users(2000, steps=1, first=4), facts, POLICY).action == "continue"
    assert judge(users(2000, steps=1, first=4), replace(facts, now=35 * HOUR, newest=35 * HOUR), POLICY).action == "end_watch"
    assert judge(users(4000, steps=1, first=4, failed=0.15), facts, POLICY).action == "roll_back"
    assert judge(users(4000, failed=0.15), facts, POLICY).action == "continue"  # the harm of the ramp is no evidence about the watch


def test_the_verdict_is_json_and_the_same_for_any_order_of_input() -> None:
    some = users(2000)
    verdict = judge(some, FACTS, POLICY)
    assert judge(some[::-1], FACTS, POLICY) == verdict
    evidence = json.loads(json.dumps(verdict.evidence, allow_nan=False))
    errors = evidence["guardrails"]["errors"]
    assert errors["low"] < errors["estimate"] < errors["high"] and errors["users"] == 2000
    assert judge(some[:700], FACTS, POLICY).evidence["guardrails"]["errors"]["users_needed"] > 0


def test_a_guardrail_without_data_prevents_a_promotion_unless_it_can_only_veto() -> None:
    unscored = [replace(user, quality=None) for user in users(5000)]
    verdict = judge(unscored, FACTS, POLICY)
    assert verdict.action == "continue" and verdict.reasons == ("quality, paired: not measured",)
    veto = Policy(guardrails={**POLICY.guardrails, "quality": Guardrail(0.05, on_unknown="pass")})
    assert judge(unscored, FACTS, veto).action == "promote"


def test_times_that_are_not_numbers_and_impossible_observations_never_promote() -> None:
    facts = StepFacts(0, 0.0, float("nan"), 0.0, {}, True)
    assert judge([], facts, Policy()).action == "continue"
    broken = UserObservation(0, "canary", "a", 1.0, 2, 9, 0, 2, 0, 0, float("nan"), None)
    verdict = judge([broken], StepFacts(0, 0.0, 10.0, 0.0, {}, True), Policy())
    assert (verdict.action, verdict.reasons) == ("hold", ("cannot tell: 1 of 1 observations are impossible",))


def test_missing_users_of_one_arm_stop_every_decision() -> None:
    """Without this, a canary whose failing users are never recorded would be promoted, and a missing champion would roll back."""
    some = users(8000)
    for arm in (CHAMPION, CANARY):
        few = [user for number, user in enumerate(some) if user.arm != arm or number % 3 == 0]
        verdict = judge(few, FACTS, POLICY)
        assert verdict.action == "hold" and "users of one arm are missing" in verdict.reasons[0], verdict.reasons
        alone = [replace(user, failed=user.requests) for user in some if user.arm != arm]
        assert judge(alone, FACTS, POLICY).action == "hold"


def test_the_split_of_honest_users_is_accepted() -> None:
    assert (
        sum(judge(users(1000, seed=seed, steps=1), replace(FACTS, step=0), POLICY, bounds=False).action == "hold" for seed in range(40))
        <= 1
    )


def test_observations_of_later_steps_do_not_count() -> None:
    assert judge(users(5000), replace(FACTS, step=0), POLICY).evidence["users_in_step"] == 1250
    assert sum(judge(users(5000), replace(FACTS, step=0), POLICY).evidence["users"].values()) == 1250


def test_a_user_is_scored_once() -> None:
    """A user's own quality does not change with the step, so four steps are one piece of evidence."""
    base = [replace(user, quality=0.3, step=0, arm=CHAMPION) for user in users(20, steps=1)]
    again = [replace(user, step=step, frozen=user.frozen + 100 * step) for step in range(4) for user in base]
    assert judge(again, FACTS, POLICY).evidence["guardrails"]["quality"]["users"] == 20


def test_a_proven_harm_within_the_margin_is_no_roll_back() -> None:
    """One point more errors is half of the margin. A chance value above the margin in one step must not end the release."""
    verdicts = [judge(users(12_000, seed=seed, failed=0.02), FACTS, POLICY, bounds=False).action for seed in range(8)]
    assert verdicts.count("roll_back") <= 1, verdicts
