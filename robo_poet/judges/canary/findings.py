"""What the observations say about one guardrail: the estimate, its bounds, and which statements have been rejected (SERVE-5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robo_poet.judges.canary.effects import Effects, Numbers, averaged, log_wealth, lower_bound, restarted
from robo_poet.judges.canary.guardrails import MEASURES, Comparable, Measure, effects_of
from robo_poet.judges.canary.policy import Guardrail, Policy

HARMS = (0.75, 1.5, 2.5, 5.0)  # harms in margins for which the test for a roll-back is made powerful
DISTANCES = (0.25, 1.0, 4.0)  # distances in margins at which the bounds, which only people read, are made narrow
Flags = NDArray[np.bool_]


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
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    harmful: bool = False
    safe: bool = False
    needed: int | None = None
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


def _levels(policy: Policy) -> _Levels:
    return _Levels(float(np.log(len(policy.guardrails) / policy.false_rollback)), float(-np.log(policy.false_promotion)))


@dataclass(frozen=True)
class Course:
    """What is known about one guardrail after each user with a value. Entry n depends on the first n + 1 users only.

    Attributes:
        effects: the effects that the bounds are computed from.
        positions: (users,), position of each user with a value among all compared users.
        base: (users,), factor between the unit of the guardrail and that of the effects.
        estimate, recent: (users,), the harm of all steps, and that of the newest step alone, in the unit of the guardrail.
        proven: (users,), a harm is proven, whatever its size.
        harmful, safe: (users,), see `Finding`.
        missing: (users,), what the logarithm of the wealth lacks for an exclusion.
    """

    effects: Effects
    positions: NDArray[np.int64]
    base: Numbers
    estimate: Numbers
    recent: Numbers
    proven: Flags
    harmful: Flags
    safe: Flags
    missing: Numbers


def course_of(name: str, users: Comparable, policy: Policy) -> Course | None:
    """Return what is known about a guardrail after each user; None if no user has a value.

    A test for a roll-back starts with each step, and their wealth is averaged, so each has a share of the error rate.
    """
    guardrail, measure, levels = policy.guardrails[name], MEASURES[name], _levels(policy)
    margin, relative = guardrail.margin, MEASURES[name].form == "relative"
    measured = effects_of(measure, users, margin)
    if not measured.effects.users:
        return None
    up = measured.effects
    unit = np.maximum(up.centre, 1e-4) if relative else np.ones(up.users)  # a margin of 10 % of what earlier users had
    base = np.cumsum(unit) / np.arange(1, up.users + 1)
    starts = sorted(int(np.flatnonzero(measured.steps == step)[0]) for step in np.unique(measured.steps))
    ends, parts = [*starts[1:], up.users], len(policy.steps) + 1
    estimate, recent = (measure.possible(means / base) for means in (_means(up, [0], [up.users]), _means(up, starts, ends)))
    sides = (up, up.negated()) if relative else (up,)
    limit = levels.harm + np.log(len(sides))
    proven, present = np.zeros(up.users, bool), np.zeros(up.users, bool)
    for side in sides:
        paths = restarted(side, starts, [share * margin * unit for share in HARMS], measure.extra)
        proven |= _ever(averaged(paths, parts) >= limit)
        for path, start, end in zip(paths, starts, ends, strict=True):
            present[start:end] |= _ever(path[start:end] - np.log(parts) >= limit)
    tests = [log_wealth(side.negated(), 0.0 if relative else -margin, [margin * unit]) for side in measured.limits]
    size, recent_size = (np.abs(estimate), np.abs(recent)) if relative else (estimate, recent)
    return Course(
        up, measured.positions, base, estimate, recent, proven,
        harmful=measured.both_arms & ((proven & (size > margin)) | (present & (recent_size > margin))),
        safe=measured.both_arms & np.logical_and.reduce([_ever(test >= levels.safety) for test in tests]),
        missing=levels.safety - np.min(tests, axis=0),
    )  # fmt: skip


def _means(effects: Effects, starts: Sequence[int], ends: Sequence[int]) -> Numbers:
    """Return the weighted mean, after each user, of the effects since the newest start."""
    weights = effects.weights
    products = effects.estimates * weights
    parts = [np.cumsum(products[start:end]) / np.cumsum(weights[start:end]) for start, end in zip(starts, ends, strict=True)]
    return np.concatenate(parts)


def _ever(flags: Flags) -> Flags:
    """Return for each user if a flag was set until then. A statement that was rejected once stays rejected."""
    return np.logical_or.accumulate(flags)


def find(name: str, users: Comparable, policy: Policy, *, bounds: bool = True) -> Finding:
    """Return what is known about a guardrail after all users.

    Args:
        bounds: False leaves out the bounds, which only people read; they take most of the time.
    """
    course = course_of(name, users, policy)
    if course is None:
        return Finding(name, MEASURES[name], policy.guardrails[name], 0)
    return finding_at(name, course, policy, len(course.estimate) - 1, bounds=bounds)


def finding_at(name: str, course: Course, policy: Policy, at: int, *, bounds: bool) -> Finding:
    """Return what was known about a guardrail after the user with a value at a position. Bounds are those of all users."""
    guardrail, measure, levels = policy.guardrails[name], MEASURES[name], _levels(policy)
    margin, base, safe = guardrail.margin, float(course.base[at]), bool(course.safe[at])
    low, high = _bounds(course.effects, margin * base, levels) if bounds else (None, None)
    low, high = (None if bound is None else float(measure.possible(np.asarray(bound / base))) for bound in (low, high))
    if measure.form != "relative":  # what a test has shown is a bound too
        if safe:
            high = margin if high is None else min(high, margin)
        if course.proven[at]:
            low = 0.0 if low is None else max(low, 0.0)
    return Finding(
        name, measure, guardrail, at + 1, float(course.estimate[at]), low, high, bool(course.harmful[at]), safe,
        0 if safe else _needed(course.effects, at, margin * base, float(course.missing[at])), float(course.recent[at]),
    )  # fmt: skip


def _bounds(effects: Effects, margin: float, levels: _Levels) -> tuple[float | None, float | None]:
    """Return the lower bound at the level of a roll-back, and the upper bound at the level of a promotion."""
    amounts = [distance * margin for distance in DISTANCES]
    low = lower_bound(effects, 1 - np.exp(-levels.harm), margin, amounts)
    high = lower_bound(effects.negated(), 1 - np.exp(-levels.safety), margin, amounts)
    return low, None if high is None else -high


def _needed(effects: Effects, at: int, margin: float, missing: float) -> int | None:
    """Return the number of further users like that at a position until the wealth has grown by `missing`, if there is no harm."""
    if missing <= 0:
        return 0
    spread = float(effects.spread[at])
    stake = min(margin / (spread + margin**2), 0.75 / max(float(effects.high[at]) - margin, 1e-9))
    growth = stake * margin - stake**2 * (spread + margin**2) / 2
    return int(np.ceil(missing / growth)) if growth > 0 else None
