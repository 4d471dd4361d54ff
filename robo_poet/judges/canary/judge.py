"""The canary judge: (observations by user, facts of the step, policy) → verdict with reasons and evidence (SERVE-5, contract 13).

- Roll-back: for some guardrail, "the canary is not worse" is rejected, and the estimate is above the margin. The error rate
  `false_rollback` is divided by the number of guardrails, because one of them is enough.
- Promotion: for all guardrails, "the harm is at least the margin" is rejected. The error rate `false_promotion` is not divided, because a
  canary that reaches a margin anywhere has to be missed there (intersection-union test, Berger 1982).
  In the last step alone, no estimate may be above its margin: a harm that begins with the load of a high share is diluted in the others.
- Doubts about the data (lost records, fallback, missing users of one arm) stop every step and promotion. They do not stop a roll-back: the
  champion is known to be good.
- No traffic is no verdict: without enough users, the answer is `continue`, later what the policy says for a timeout.

The tests hold under continuous looking, see `effects`. So the verdict does not depend on when and how often the judge is asked.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from robo_poet.judges.canary.effects import Effects, Numbers, log_wealth, lower_bound, restarted, split_is_wrong
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
        recent: the harm in the present step alone; None without users in it.
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
    recent: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the finding as a JSON object."""
        return {
            "label": self.measure.label, "unit": self.measure.unit, "margin": self.guardrail.margin, "users": self.users,
            "estimate": self.estimate, "recent": self.recent, "low": self.low, "high": self.high, "harmful": self.harmful,
            "safe": self.safe,
            "users_needed": self.needed, "on_harm": self.guardrail.on_harm, "on_unknown": self.guardrail.on_unknown,
        }  # fmt: skip


@dataclass(frozen=True)
class _Levels:
    """Thresholds of the logarithm of the wealth."""

    harm: float
    safety: float


def step_starts(steps: NDArray[np.int64]) -> list[int]:
    """Return the position of the first user of each step."""
    return sorted(int(np.flatnonzero(steps == step)[0]) for step in np.unique(steps))


def find(name: str, users: Comparable, policy: Policy, *, bounds: bool = True) -> Finding:
    """Return what is known about a guardrail.

    Args:
        bounds: False leaves out the bounds, which only people read; they take most of the time.
    """
    guardrail, measure = policy.guardrails[name], MEASURES[name]
    margin, levels = guardrail.margin, _levels(policy)
    effects = effects_of(measure, users, margin)
    if not effects.count:
        return Finding(name, measure, guardrail, 0, None, None, None, False, False, None)
    up, relative = effects.harm, measure.form == "relative"
    unit: Numbers | float = np.maximum(up.centre, 1e-4) if relative else 1.0  # a margin of 10 % of what earlier users had
    base = float(np.mean(unit))
    harms = [share * margin * unit for share in HARMS]
    starts, parts = step_starts(effects.steps), len(policy.steps) + 1
    sides = (up, up.negated()) if relative else (up,)
    limit = levels.harm + np.log(len(sides))
    proven = bool(max(float(restarted(side, starts, parts, harms, measure.extra).max()) for side in sides) >= limit)
    late = [harm if isinstance(harm, float) else harm[starts[-1] :] for harm in harms]  # the part of the present step, with its weight
    present = max(float(log_wealth(side.since(starts[-1]), 0.0, late, measure.extra).max()) for side in sides) - np.log(parts) >= limit
    tests = [log_wealth(side.negated(), 0.0 if relative else -margin, [margin * unit]) for side in effects.limits]
    safe = effects.both_arms and min(float(test.max()) for test in tests) >= levels.safety
    estimate, recent = up.mean(), up.since(starts[-1]).mean()
    assert estimate is not None and recent is not None
    estimate, recent = estimate / base, recent / base
    low, high = _bounds(up, margin * base, levels) if bounds else (None, None)
    low, high = (None if low is None else low / base), (None if high is None else high / base)
    if safe and not relative:  # what a test has shown is a bound too
        high = margin if high is None else min(high, margin)
    if proven and not relative:
        low = 0.0 if low is None else max(low, 0.0)
    sign = np.abs if relative else float
    harmful = effects.both_arms and ((proven and sign(estimate) > margin) or (bool(present) and sign(recent) > margin))
    missing = levels.safety - min(float(test[-1]) for test in tests)
    return Finding(
        name, measure, guardrail, effects.count, estimate, low, high, bool(harmful), safe,
        0 if safe else _needed(up, margin * base, missing), recent,
    )  # fmt: skip


def _bounds(effects: Effects, margin: float, levels: _Levels) -> tuple[float | None, float | None]:
    """Return the lower bound at the level of a roll-back, and the upper bound at the level of a promotion."""
    amounts = [distance * margin for distance in DISTANCES]
    low = lower_bound(effects, 1 - np.exp(-levels.harm), margin, amounts)
    high = lower_bound(effects.negated(), 1 - np.exp(-levels.safety), margin, amounts)
    return low, None if high is None else -high


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
    elif action not in ("roll_back", "hold") and split_is_wrong(compared.canary, compared.shares, SPLIT_LEVEL):
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
    numbers = (user.frozen, user.length, user.rating, 0.0 if user.quality is None else user.quality)
    return (
        min(counts) >= 0
        and all(map(math.isfinite, numbers))
        and max(user.failed, user.refused, user.completions) <= user.requests
        and 0 <= user.length <= user.completions
        and user.frozen <= facts.now + CLOCK_SECONDS
        and user.arm in (CHAMPION, CANARY)
    )


def _decide(findings: Sequence[Finding], facts: StepFacts, policy: Policy, here: int) -> tuple[Action, list[str]]:
    """Return the action and its reasons."""
    if times := _wrong_times(facts, policy):
        return "continue", [f"cannot tell: {times}"]
    if here and not facts.identified:
        return "hold", ["cannot tell: 1 user, because requests name no users; see docs/how-to/keys-and-tokens.md"]
    harms = [finding for finding in findings if finding.harmful]
    for action in ("roll_back", "hold"):
        if reasons := [_text(finding) for finding in harms if finding.guardrail.on_harm == action]:
            return action, reasons
    if doubt := _doubt(facts, policy):
        return "hold", [f"cannot tell: {doubt}"]
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
    rising = [finding for finding in findings if finding.recent is not None and _size(finding, finding.recent) > finding.guardrail.margin]
    rising = [finding for finding in rising if finding.guardrail.on_unknown == "wait"]
    open_questions += [finding for finding in rising if finding not in open_questions]
    if not lacking and not open_questions:
        return "promote", [f"harm above the margin is excluded for {', '.join(finding.name for finding in findings if finding.safe)}"]
    if hours >= policy.max_hours:
        what = lacking + [_question(finding) for finding in open_questions]
        return policy.on_timeout, [f"not enough evidence after {policy.max_hours:g} h: {'; '.join(what)}"]
    return "continue", lacking + ([_question(finding) for finding in open_questions] if last else [])


def _size(finding: Finding, value: float) -> float:
    """Return the harm of a value of a guardrail; a relative difference is a harm in both directions."""
    return abs(value) if finding.measure.form == "relative" else value


def _wrong_times(facts: StepFacts, policy: Policy) -> str:
    """Return what is wrong with the times; "" if they can be used."""
    newest = facts.now if facts.newest is None else facts.newest
    if not np.isfinite((facts.now, facts.started, facts.canary_started, newest)).all():
        return "a time is not a number"
    if facts.now < max(facts.started, facts.canary_started) - CLOCK_SECONDS:
        return "the clock is before the start of the step"
    if facts.now - newest > 60 * policy.stale_minutes:
        return f"the newest record is {(facts.now - newest) / 60:.0f} minutes old, at most {policy.stale_minutes:g} are allowed"
    if facts.newest is None and policy.in_watch(facts.step):
        return "there is no record of any gateway"
    return ""


def _doubt(facts: StepFacts, policy: Policy) -> str:
    """Return why the records are not complete; "" if they are."""
    for arm, share in facts.lost.items():
        if not share <= policy.max_lost:  # also NaN
            return f"{share:.1%} of the records of the {arm} are lost, at most {policy.max_lost:.1%} are allowed"
    if not facts.fallback <= policy.max_lost:
        return f"{facts.fallback:.1%} of the canary's users were served by another version: the canary cannot be called"
    return ""


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
    recent = f", {_value(finding, finding.recent)} in this step" if finding.recent is not None else ""
    margin = _value(finding, finding.guardrail.margin)[1:]
    return f"{finding.measure.label} {_value(finding, finding.estimate)}{bound}{recent} (margin {margin})"


def _question(finding: Finding) -> str:
    """Return a sentence about what is not known yet."""
    if finding.estimate is None:
        return f"{finding.measure.label}: not measured"
    more = f"; about {finding.needed} more users" if finding.needed else ""
    return f"{finding.measure.label} {_value(finding, finding.estimate)}, margin {_value(finding, finding.guardrail.margin)[1:]}{more}"
