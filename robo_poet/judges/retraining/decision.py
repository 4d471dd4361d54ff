"""The judge of retraining: (state, alert, facts, policy, time) → what to do, with reasons and evidence (MON-4, contract 15).

`decide` answers an alert, `next_step` looks again at a request that waits. Both are pure: the same input gives the same answer, so alerts
that repeat, arrive late or in another order end in the same state.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from robo_poet.judges.retraining.policy import RetrainingPolicy
from robo_poet.judges.retraining.state import Key, Request, Run, State

Verdict = Literal["start", "wait_for_approval", "wait", "refuse", "duplicate", "ignore"]


@dataclass(frozen=True)
class Alert:
    """An alert about a drift.

    Args:
        firing: False if the alert is resolved.
        starts_at: start of the alert, ISO 8601.
    """

    key: Key
    firing: bool
    starts_at: str


@dataclass(frozen=True)
class Facts:
    """What the registry says now.

    Args:
        model: name of the model that the trigger retrains.
        champion: number of the champion; None if there is none.
        baseline: first 16 hexadecimal digits of the digest of its baseline; empty if it has none.
    """

    model: str
    champion: int | None
    baseline: str


@dataclass(frozen=True)
class Decision:
    """What to do.

    Attributes:
        action: `start` a run now; `wait_for_approval` of a person; `wait` and look again later; `refuse`; `duplicate`: the request with
            this key exists; `ignore`: the alert asks for nothing.
        reasons: why, the most important reason first. Never empty.
        evidence: JSON object with the data behind the decision.
    """

    action: Verdict
    reasons: tuple[str, ...]
    evidence: dict[str, Any]


def decide(state: State, alert: Alert, facts: Facts, policy: RetrainingPolicy, now: float) -> Decision:
    """Return what to do about an alert.

    A resolved alert is ignored: what two windows have shown stays true, and an alert is also resolved if Prometheus loses the watcher.

    Args:
        now: seconds since 1970.
    """
    key = alert.key
    if key.model != facts.model:
        return Decision("ignore", (f"this trigger retrains {facts.model}, not {key.model}",), {"key": asdict(key)})
    if not alert.firing:
        return Decision("ignore", ("a resolved alert starts and stops nothing",), {"key": asdict(key)})
    request = state.request(key)
    if request is None:
        return next_step(state, Request(0, key, "open", now, alert.starts_at, "", now, "", ""), facts, policy, now)
    if request.status == "refused" and not request.by_person:
        again = next_step(state, request, facts, policy, now)
        if again.action != "refuse":
            return again
    return Decision("duplicate", (f"request {request.number} has this cause; it is {request.status}: {request.why}",), {"key": asdict(key)})


def next_step(state: State, request: Request, facts: Facts, policy: RetrainingPolicy, now: float) -> Decision:
    """Return what to do about a request that is open, or that a rule refused: `start`, `wait_for_approval`, `wait` or `refuse`."""
    evidence = {
        "key": asdict(request.key), "champion": facts.champion, "baseline": facts.baseline, "enabled": policy.enabled,
        "approved": request.approved, "failed": request.failed, "spent_hours": spent_hours(state, policy, now),
        "budget_hours": policy.budget_hours, "run_hours": policy.run_hours,
    }  # fmt: skip
    if reason := _refusal(request, facts, policy):
        return Decision("refuse", (reason,), evidence)
    if needs_person(request, policy):
        person = "a person approves each retraining (monitoring.retraining.enabled: ask)"
        if request.key.cause not in policy.causes:
            person = f"a training run does not repair this cause by itself: {request.key.cause}; a person decides"
        return Decision("wait_for_approval", (person,), evidence)
    if reasons := tuple(_delays(state, request, policy, now)):
        return Decision("wait", reasons, evidence)
    approval = f"{request.approved} approved it" if request.approved else "the profile starts it without approval"
    return Decision("start", (f"{request.key.cause}; {approval}",), evidence)


def needs_person(request: Request, policy: RetrainingPolicy) -> bool:
    """Return True if a person has to approve a request before its first run."""
    return not request.approved and (policy.enabled != "automatic" or request.key.cause not in policy.causes)


def spent_hours(state: State, policy: RetrainingPolicy, now: float) -> float:
    """Return the hours of this calendar month's runs (UTC). A run that goes on counts with its expected hours, or its own if more.

    A start in the future counts too: the clock was set back, and the budget must not be spent twice.
    """
    return sum(
        max(policy.run_hours, (now - run.started) / 3600) if run.ended is None else run.hours
        for run in _runs(state)
        if _month(run.started) >= _month(now)
    )


def _refusal(request: Request, facts: Facts, policy: RetrainingPolicy) -> str:
    """Return why a request is refused; empty if it is not."""
    key = request.key
    if policy.enabled == "off":
        return "retraining is switched off (monitoring.retraining.enabled: off)"
    if key.cause in policy.refused_causes:
        return f"a model must not learn from this cause: {key.cause}"
    if key.version != facts.champion:
        champion = f"version {facts.champion} is" if facts.champion else "there is no"
        return f"version {key.version} is not the champion any more; {champion} champion"
    if key.baseline != facts.baseline:
        return f"the baseline of version {key.version} was replaced after the alert"
    if request.failed >= policy.attempts:
        return f"{request.failed} attempt{'s' * (request.failed > 1)} failed; the last: {request.why}"
    return ""


def _delays(state: State, request: Request, policy: RetrainingPolicy, now: float) -> Iterator[str]:
    """Yield each reason why a request cannot start now."""
    if state.running:
        yield f"the run of request {state.running.number} goes on"
    others = [run.ended for run in _runs(state, request.number) if run.ended is not None]
    if others and now < (end := max(others) + 3600 * policy.cool_down_hours):
        yield f"cool-down of {policy.cool_down_hours:g} h after the last run, until {_text(end)}"
    if request.failed > 0 and now < (retry := (request.runs[-1].ended or now) + policy.retry_seconds(request.failed)):
        yield f"attempt {request.failed} failed ({request.why}); the next one is at {_text(retry)}"
    spent = spent_hours(state, policy, now)
    if spent + policy.run_hours > policy.budget_hours:
        used = f"{spent:.3g} h of {policy.budget_hours:g} h are used, and a run needs {policy.run_hours:g} h"
        yield f"budget of the month: {used}; the next month starts at {_text(_next_month(now))}"


def _runs(state: State, without: int = 0) -> list[Run]:
    return [run for request in state.requests if request.number != without for run in request.runs]


def _month(seconds: float) -> tuple[int, int]:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.year, moment.month


def _next_month(seconds: float) -> float:
    year, month = _month(seconds)
    return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp()


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
