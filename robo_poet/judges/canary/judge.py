"""The canary judge: (observations by user, facts of the step, policy) → verdict with reasons and evidence (SERVE-5, contract 13).

- Roll-back: for some guardrail, "the canary is not worse" is rejected, and the estimate is above the margin. The error rate
  `false_rollback` is divided by the number of guardrails, because one of them is enough.
- Promotion: for all guardrails, "the harm is at least the margin" is rejected. The error rate `false_promotion` is not divided, because a
  canary that reaches a margin anywhere has to be missed there (intersection-union test, Berger 1982).
  A step with more than half of the users needs the same proof. In the last step alone, no estimate may be above its margin: a harm that
  begins with the load of a high share is diluted in the others.
- Doubts about the data (lost records, fallback, missing users of one arm) stop every step and promotion. They do not stop a roll-back: the
  champion is known to be good.
- No traffic is not a verdict: without enough users, the answer is `continue`, later what the policy says for a timeout.

The tests hold under continuous looking, see `effects`. So the verdict does not depend on when and how often the judge is asked.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from robo_poet.judges.canary.effects import split_is_wrong
from robo_poet.judges.canary.findings import Finding, find
from robo_poet.judges.canary.guardrails import Comparable, comparable
from robo_poet.judges.canary.observations import CANARY, CHAMPION, StepFacts, UserObservation
from robo_poet.judges.canary.policy import Policy

CLOCK_SECONDS = 60.0  # difference between the clocks of two machines that is normal
# A step above this share needs the proof of a promotion. At a share of 50 %, each user gives most information, at 95 % a fifth of that:
# with the last step entered without the proof, 86 % of 600 equal versions were promoted within 5,000 users.
MOST_UNPROVEN = 0.5
SPLIT_LEVEL = 0.999  # confidence with which a wrong split of the users stops a decision


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


def judge(users: Iterable[UserObservation], facts: StepFacts, policy: Policy, *, bounds: bool = True) -> Verdict:
    """Return what to do with the canary now.

    Args:
        users: the frozen observations of all steps. In the watch, only those of the watch count.
        bounds: False leaves out the bounds of the evidence, for simulations.
    """
    watch = policy.in_watch(facts.step)
    relevant = [user for user in users if (user.step == facts.step if watch else user.step <= facts.step)]
    possible = [user for user in relevant if _possible(user, facts)]
    possible.sort(key=lambda user: (user.frozen, user.user))
    compared = comparable(possible, policy, facts.shares)
    findings = [find(name, compared, policy, bounds=bounds) for name in policy.guardrails]
    counts = {arm: sum(user.arm == arm for user in possible) for arm in (CHAMPION, CANARY)}
    here = sum(user.step == facts.step for user in possible)
    split = split_is_wrong(compared.canary, compared.shares, SPLIT_LEVEL)
    missing = _split_text(compared) if split.any() else ""
    action, reasons = decide(findings, facts, policy, here, missing)
    impossible = len(relevant) - len(possible)
    if impossible > policy.max_lost * len(relevant):
        action, reasons = "hold", [f"cannot tell: {impossible} of {len(relevant)} observations are impossible"]
    evidence = {
        "step": facts.step, "users": counts, "users_in_step": here, "compared": len(compared.users), "lost": dict(facts.lost),
        "fallback": facts.fallback, "minutes_in_step": (facts.now - facts.started) / 60,
        "hours": (facts.now - facts.canary_started) / 3600, "guardrails": {finding.name: finding.as_json() for finding in findings},
    }  # fmt: skip
    return Verdict(action, tuple(reasons), evidence)


def decide(findings: Sequence[Finding], facts: StepFacts, policy: Policy, here: int, missing: str = "") -> tuple[Action, list[str]]:
    """Return the action and its reasons.

    Args:
        here: number of users in the present step.
        missing: what says that users of one arm are missing; "" if nothing does. It stops everything but a roll-back.
    """
    action, reasons = _decide(findings, facts, policy, here)
    if missing and action not in ("roll_back", "hold"):
        return "hold", [missing]
    return action, reasons


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
    needs_proof = last or policy.steps[facts.step + 1] > MOST_UNPROVEN
    if not lacking and not last and not (needs_proof and open_questions):
        proof = "harm above the margin is excluded" if needs_proof else "no proven harm"
        return "next_step", [f"{proof} after {here} users in this step"]
    rising = [finding for finding in findings if finding.recent is not None and _size(finding, finding.recent) > finding.guardrail.margin]
    rising = [finding for finding in rising if finding.guardrail.on_unknown == "wait"]
    open_questions += [finding for finding in rising if finding not in open_questions]
    if not lacking and not open_questions:
        return "promote", [f"harm above the margin is excluded for {', '.join(finding.name for finding in findings if finding.safe)}"]
    if hours >= policy.max_hours:
        what = lacking + [_question(finding) for finding in open_questions]
        return policy.on_timeout, [f"not enough evidence after {policy.max_hours:g} h: {'; '.join(what)}"]
    return "continue", lacking + ([_question(finding) for finding in open_questions] if needs_proof else [])


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
