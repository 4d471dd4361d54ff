"""The canary judge: (observations by user, facts of the step, policy) → verdict with reasons and evidence (SERVE-5, contract 13).

- Roll-back: for some guardrail, "the canary is not worse" is rejected, and the estimate is above the margin. The error rate
  `false_rollback` is divided by the number of guardrails, because one of them is enough.
- Promotion: for all guardrails, "the harm is at least the margin" is rejected. The error rate `false_promotion` is not divided, because a
  canary that reaches a margin anywhere has to be missed there (intersection-union test, Berger 1982).
- No traffic is no verdict: without enough users, the answer is `continue`, later what the policy says for a timeout.

The tests hold under continuous looking, see `effects`. So the verdict does not depend on when and how often the judge is asked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from robo_poet.judges.canary.effects import Effects, log_wealth, lower_bound, split_is_wrong
from robo_poet.judges.canary.guardrails import MEASURES, Comparable, Measure, comparable, effects_of
from robo_poet.judges.canary.observations import CANARY, CHAMPION, StepFacts, UserObservation
from robo_poet.judges.canary.policy import Guardrail, Policy

CLOCK_SECONDS = 60.0  # difference between the clocks of two machines that is normal
SPLIT_LEVEL = 0.999  # confidence with which a wrong split of the users stops a decision
HARMS = (0.75, 1.5, 2.5, 5.0)  # harms in margins for which the test for a roll-back is made powerful
DISTANCES = (0.25, 1.0, 4.0)  # distances in margins at which the bounds, which only people read, are made narrow


Action = Literal["continue", "next_step", "promote", "roll_back", "hold", "end_watch"]


@dataclass(frozen=True)
class Verdict:
    """What to do with a canary now.

    Args:
        action: `continue` changes nothing. `hold` changes nothing either, and a person is told.
        reasons: why, the most important reason first. Never empty.
        evidence: JSON object with the data behind the verdict, the same for the same input.
    """

    action: Action
    reasons: tuple[str, ...]
    evidence: dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """What is known about one guardrail.

    Attributes:
        users: number of users with a value.
        estimate: the harm, in the unit of the guardrail; None without users.
        low, high: bounds of the harm that hold for all looks together; None if there is no bound yet.
        harmful: a harm is proven, and the estimate is above the margin.
        safe: a harm of the margin or more is excluded.
        needed: users in the present step that an exclusion still needs, if there is no harm; None if it cannot be said.
    """

    name: str
    measure: Measure
    guardrail: Guardrail
    users: int
    estimate: float | None
    low: float | None
    high: float | None
    harmful: bool
    safe: bool
    needed: int | None

    def as_json(self) -> dict[str, Any]:
        """Return the finding as a JSON object."""
        return {
            "label": self.measure.label, "unit": self.measure.unit, "margin": self.guardrail.margin, "users": self.users,
            "estimate": self.estimate, "low": self.low, "high": self.high, "harmful": self.harmful, "safe": self.safe,
            "users_needed": self.needed, "on_harm": self.guardrail.on_harm, "on_unknown": self.guardrail.on_unknown,
        }  # fmt: skip


@dataclass(frozen=True)
class _Levels:
    """Thresholds of the logarithm of the wealth."""

    harm: float
    safety: float


def find(name: str, users: Comparable, policy: Policy, *, bounds: bool = True) -> Finding:
    """Return what is known about a guardrail.

    Args:
        bounds: False leaves out the bounds, which only people read; they take most of the time.
    """
    guardrail, measure = policy.guardrails[name], MEASURES[name]
    margin, levels = guardrail.margin, _levels(policy)
    up, down, count = effects_of(measure, users, margin)
    if not count:
        return Finding(name, measure, guardrail, 0, None, None, None, False, False, None)
    if down is not None:
        return _relative(name, measure, guardrail, users, (up, down), levels, policy, bounds)
    harm = log_wealth(up, 0.0, [share * margin for share in HARMS], measure.extra)
    safety = log_wealth(up.negated(), -margin, [margin])
    estimate = up.mean()
    assert estimate is not None
    proven, safe = bool(harm.max() >= levels.harm), bool(safety.max() >= levels.safety)
    low, high = _bounds(up, margin, levels) if bounds else (None, None)
    low = 0.0 if proven and (low is None or low < 0) else low  # what a test has shown is a bound too
    high = margin if safe and (high is None or high > margin) else high
    return Finding(
        name, measure, guardrail, count, estimate, low, high, proven and estimate > margin, safe,
        _needed(up, margin, levels.safety - float(safety.max())),
    )  # fmt: skip


def _relative(
    name: str, measure: Measure, guardrail: Guardrail, users: Comparable, effects: tuple[Effects, Effects], levels: _Levels,
    policy: Policy, bounds: bool,
) -> Finding:  # fmt: skip
    """Judge a relative difference: a harm in either direction, so each direction has half of the error rate for a roll-back."""
    margin = guardrail.margin
    same, _, count = effects_of(measure, users, 0.0)
    base = _base(measure, users)
    amounts = [share * margin * base for share in HARMS]
    harm_level = levels.harm + np.log(2)
    harm = max(float(log_wealth(side, 0.0, amounts).max()) for side in (same, same.negated()))
    wealth = [float(log_wealth(side.negated(), 0.0, [margin * base]).max()) for side in effects]
    difference = same.mean()
    assert difference is not None
    estimate = difference / base
    low, high = _bounds(same, margin * base, _Levels(harm_level, harm_level)) if bounds else (None, None)
    missing = max(levels.safety - value for value in wealth)
    return Finding(
        name, measure, guardrail, count, estimate, None if low is None else low / base, None if high is None else high / base,
        bool(harm >= harm_level and abs(estimate) > margin), min(wealth) >= levels.safety, _needed(same, margin * base, missing),
    )  # fmt: skip


def _bounds(effects: Effects, margin: float, levels: _Levels) -> tuple[float | None, float | None]:
    """Return the lower bound at the level of a roll-back, and the upper bound at the level of a promotion."""
    amounts = [distance * margin for distance in DISTANCES]
    low = lower_bound(effects, 1 - np.exp(-levels.harm), margin, amounts)
    high = lower_bound(effects.negated(), 1 - np.exp(-levels.safety), margin, amounts)
    return low, None if high is None else -high


def _base(measure: Measure, users: Comparable) -> float:
    """Return the mean of the champion's users, all users if it has none; more than 0."""
    values = [(user.arm, measure.value(user)) for user in users.users]
    champion = [value for arm, value in values if value is not None and arm == CHAMPION]
    known = champion or [value for _, value in values if value is not None]
    return max(float(np.mean(known)), 1e-6)


def _needed(effects: Effects, margin: float, missing: float) -> int | None:
    """Return the number of further users like the last one until the wealth has grown by `missing`, if there is no harm."""
    if missing <= 0:
        return 0
    spread = float(effects.spread[-1])
    stake = min(margin / (spread + margin**2), 0.75 / max(float(effects.high[-1]) - margin, 1e-9))
    growth = stake * margin - stake**2 * (spread + margin**2) / 2
    return int(np.ceil(missing / growth)) if growth > 0 else None


def _levels(policy: Policy) -> _Levels:
    return _Levels(float(np.log(len(policy.guardrails) / policy.false_rollback)), float(-np.log(policy.false_promotion)))


def judge(users: Iterable[UserObservation], facts: StepFacts, policy: Policy, *, bounds: bool = True) -> Verdict:
    """Return what to do with the canary now.

    Args:
        users: the frozen observations of all steps. In the watch, only those of the watch count.
        bounds: False leaves out the bounds of the evidence, for simulations.
    """
    watch = policy.in_watch(facts.step)
    relevant = [user for user in users if (user.step == facts.step if watch else user.step <= facts.step)]
    impossible = sum(not _possible(user, facts) for user in relevant)
    relevant = [user for user in relevant if _possible(user, facts)]
    relevant.sort(key=lambda user: (user.frozen, user.user))
    compared = comparable(relevant, policy, facts.shares)
    findings = [find(name, compared, policy, bounds=bounds) for name in policy.guardrails]
    counts = {arm: sum(user.arm == arm for user in relevant) for arm in (CHAMPION, CANARY)}
    here = sum(user.step == facts.step for user in relevant)
    action, reasons = _decide(findings, facts, policy, here)
    if impossible > policy.max_lost * (len(relevant) + impossible):
        action, reasons = "hold", [f"cannot tell: {impossible} of {len(relevant) + impossible} observations are impossible"]
    elif action in ("next_step", "promote", "roll_back") and split_is_wrong(compared.canary, compared.shares, SPLIT_LEVEL):
        action, reasons = "hold", [_split_text(compared)]
    evidence = {
        "step": facts.step, "users": counts, "users_in_step": here, "compared": len(compared.users), "lost": dict(facts.lost),
        "fallback": facts.fallback, "minutes_in_step": (facts.now - facts.started) / 60,
        "hours": (facts.now - facts.canary_started) / 3600, "guardrails": {finding.name: finding.as_json() for finding in findings},
    }  # fmt: skip
    return Verdict(action, tuple(reasons), evidence)


def _split_text(compared: Comparable) -> str:
    expected, seen = float(compared.shares.sum()), int(compared.canary.sum())
    return f"cannot tell: {seen} of {len(compared.users)} users have the canary, {expected:.0f} are expected: users of one arm are missing"


def _possible(user: UserObservation, facts: StepFacts) -> bool:
    """Return True if the numbers of an observation agree with each other and with the step. Others are left out."""
    counts = (user.requests, user.failed, user.refused, user.completions, user.slow, user.degenerate, user.ratings)
    numbers = (user.frozen, user.tokens, user.rating, 0.0 if user.quality is None else user.quality)
    return (
        min(counts) >= 0
        and bool(np.isfinite(numbers).all())
        and max(user.failed, user.refused, user.completions) <= user.requests
        and user.frozen <= facts.now + CLOCK_SECONDS
        and user.arm in (CHAMPION, CANARY)
    )


def _decide(findings: Sequence[Finding], facts: StepFacts, policy: Policy, here: int) -> tuple[Action, list[str]]:
    """Return the action and its reasons."""
    if doubts := _doubts(facts, policy, here):
        return doubts
    harms = [finding for finding in findings if finding.harmful]
    for action in ("roll_back", "hold"):
        if reasons := [_text(finding) for finding in harms if finding.guardrail.on_harm == action]:
            return action, reasons
    minutes, hours = (facts.now - facts.started) / 60, (facts.now - facts.canary_started) / 3600
    if policy.in_watch(facts.step):
        if minutes >= 60 * policy.watch_hours:
            return "end_watch", [f"no proven harm in {policy.watch_hours:g} h after the promotion, {here} users"]
        return "continue", [f"no proven harm; the watch ends after {policy.watch_hours:g} h"]
    open_questions = [finding for finding in findings if not finding.safe and finding.guardrail.on_unknown == "wait"]
    lacking = []
    if here < policy.min_users:
        lacking.append(f"{here} of {policy.min_users} users in this step")
    if minutes < policy.min_minutes:
        lacking.append(f"{max(minutes, 0):.0f} of {policy.min_minutes:g} minutes in this step")
    last = facts.step == len(policy.steps) - 1
    if not lacking and not last:
        return "next_step", [f"no proven harm after {here} users in this step"]
    if not lacking and not open_questions:
        return "promote", [f"harm above the margin is excluded for {', '.join(finding.name for finding in findings if finding.safe)}"]
    if hours >= policy.max_hours:
        what = lacking + [_question(finding) for finding in open_questions]
        return policy.on_timeout, [f"not enough evidence after {policy.max_hours:g} h: {'; '.join(what)}"]
    return "continue", lacking + ([_question(finding) for finding in open_questions] if last else [])


def _doubts(facts: StepFacts, policy: Policy, here: int) -> tuple[Action, list[str]] | None:
    """Return the action if the data cannot be judged, None if they can."""
    if not np.isfinite((facts.now, facts.started, facts.canary_started, facts.now if facts.newest is None else facts.newest)).all():
        return "continue", ["cannot tell: a time is not a number"]
    if facts.now < max(facts.started, facts.canary_started) - CLOCK_SECONDS:
        return "continue", ["cannot tell: the clock is before the start of the step"]
    if facts.newest is not None and facts.now - facts.newest > 60 * policy.stale_minutes:
        minutes = (facts.now - facts.newest) / 60
        return "continue", [f"cannot tell: the newest record is {minutes:.0f} minutes old, at most {policy.stale_minutes:g} are allowed"]
    for arm, share in facts.lost.items():
        if not share <= policy.max_lost:  # also NaN
            return "hold", [f"cannot tell: {share:.1%} of the records of the {arm} are lost, at most {policy.max_lost:.1%} are allowed"]
    if not facts.fallback <= policy.max_lost:
        return "hold", [f"{facts.fallback:.1%} of the canary's users were served by another version: the canary cannot be called"]
    if here and not facts.identified:
        return "hold", ["cannot tell: 1 user, because requests name no users; see docs/how-to/keys-and-tokens.md"]
    return None


def _value(finding: Finding, number: float) -> str:
    match finding.measure.unit:
        case "points":
            return f"{100 * number:+.1f} points"
        case "ratio":
            return f"{100 * number:+.1f} %"
        case unit:
            return f"{number:+.3f} {unit}"


def _text(finding: Finding) -> str:
    """Return a sentence about a proven harm, such as "failed requests: +4.8 points, bounds +1.2 to +7.9, margin 2.0"."""
    assert finding.estimate is not None
    bound = f", at least {_value(finding, finding.low)}" if finding.low is not None else ""
    return f"{finding.measure.label} {_value(finding, finding.estimate)}{bound} (margin {_value(finding, finding.guardrail.margin)[1:]})"


def _question(finding: Finding) -> str:
    """Return a sentence about what is not known yet."""
    if finding.estimate is None:
        return f"{finding.measure.label}: not measured"
    more = f"; about {finding.needed} more users" if finding.needed else ""
    return f"{finding.measure.label} {_value(finding, finding.estimate)}, margin {_value(finding, finding.guardrail.margin)[1:]}{more}"
