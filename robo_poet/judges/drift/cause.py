"""Which users carry a rise, and its likely cause (MON-4). It is a suggestion for people and for the decision to train again."""

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from robo_poet.judges.drift.observations import DIMENSIONS, NOT_SCORED, Baseline, HeldOut, Window
from robo_poet.judges.drift.policy import DriftPolicy
from robo_poet.judges.drift.rise import MOST_NATS, Rise

Cause = Literal["the model itself", "broken or hostile input", "a new group of users", "the world changed", "unknown"]

MOST: Final = 0.5  # share of the rise that a group carries if it is the cause
GROWTH: Final = 2.0  # a group is new if its share of the users has grown by this factor …
NEW_SHARE: Final = 0.05  # … and it has at least this share now
BROKEN: Final = 0.03  # share of characters that are rare in prose; pieces of 200 characters: C 0.077, Python 0.030 (medians), plays 0.00
FEW: Final = 0.02  # share of the users that is left out to see whether few users carry the rise
WIDESPREAD: Final = 0.6  # share of users above the expected score if everyone's texts have changed; without a change it is about a half


@dataclass(frozen=True)
class Slice:
    """The users with one value of a dimension.

    Attributes:
        share, before: their share of the users in the window, and in the baseline.
        carried: the part of the rise that they carry; all values of a dimension together carry 1.
    """

    dimension: str
    value: str
    users: int
    share: float
    before: float
    carried: float

    def as_json(self) -> dict[str, Any]:
        """Return the slice as a JSON object."""
        return dict(vars(self))


def slices(window: Window, baseline: Baseline, found: Rise) -> list[Slice]:
    """Return all slices, the one that carries most of the rise for its size first.

    A dimension that the baseline does not have is left out. Shares are among the users whose value was recorded.
    """
    total = float(found.excess.sum())
    rows = []
    for dimension in DIMENSIONS:
        groups = baseline.groups.get(dimension, {})
        everyone = sum(group.users for group in groups.values())
        members = defaultdict(list)
        for user, excess in zip(window.users, found.excess, strict=True):
            if everyone and user.known(dimension):
                members[user.value(dimension)].append(float(excess))
        users = sum(len(values) for values in members.values())
        for value, values in members.items():
            before = groups[value].users / everyone if value in groups else 0.0
            carried = math.fsum(values) / total if total else 0.0
            rows.append(Slice(dimension, value, len(values), len(values) / users, before, carried))
    return sorted(rows, key=lambda row: (row.share - row.carried, row.dimension, row.value))


def model_change(baseline: Baseline, heldout: HeldOut) -> tuple[float | None, str]:
    """Return the relative rise of the perplexity of held-out text since the baseline, and a clause about it.

    The rise is None if it is not known: then nobody may say that the model itself changed, or that it did not.
    """
    if heldout.nats is None or not math.isfinite(heldout.nats):
        return None, f"held-out text was not scored, so the model itself is not excluded: {heldout.doubt or 'the score is not finite'}"
    if baseline.heldout.nats is None:
        return None, "the baseline has no score of held-out text, so the model itself is not excluded"
    if baseline.heldout.sample != heldout.sample:
        return None, "the held-out text is not that of the baseline, so the model itself is not excluded"
    change = math.expm1(min(heldout.nats, MOST_NATS) - min(baseline.heldout.nats, MOST_NATS))
    return change, f"the perplexity of the version's held-out text changed by {change:+.1%}"


def likely_cause(window: Window, baseline: Baseline, found: Rise, policy: DriftPolicy, heldout: HeldOut = NOT_SCORED) -> tuple[Cause, str]:
    """Return the likely cause of a rise, and the reason for it in one sentence, with what is known about the model itself."""
    change, clause = model_change(baseline, heldout)
    if change is not None and change >= policy.model_rise:
        return "the model itself", f"the perplexity of its held-out text has risen by {change:.1%} as well"
    cause, why = _users_cause(window, baseline, found, policy)
    return cause, f"{why}; {clause}"


def _users_cause(window: Window, baseline: Baseline, found: Rise, policy: DriftPolicy) -> tuple[Cause, str]:
    excess, needed = found.excess, math.log1p(policy.proven_rise)
    total = float(excess.sum())
    if total <= 0:
        return "unknown", "there is no rise"
    broken = np.asarray([user.broken >= BROKEN for user in window.users])
    if float(excess[broken].sum()) >= MOST * total:
        return (
            "broken or hostile input",
            f"{int(broken.sum())} of {found.users} users sent program code, mark-up or binary data",
        )
    few = max(1, round(FEW * found.users))
    if float(np.sort(excess)[:-few].mean()) < needed:
        return "broken or hostile input", f"without the {few} users with the highest scores the rise is below {policy.proven_rise:.0%}"
    for row in slices(window, baseline, found):
        grown = row.share >= NEW_SHARE and row.share >= GROWTH * row.before
        if row.dimension != "length" and grown and row.carried >= MOST:
            return (
                "a new group of users",
                f"{row.dimension} {row.value}: {row.share:.0%} of the users now, {row.before:.0%} before; {row.carried:.0%} of the rise",
            )
    above = float((excess > 0).mean())
    if above >= WIDESPREAD:
        return "the world changed", f"the scores of {above:.0%} of the users are above the expected score, in all groups"
    return "unknown", "no group of users carries the rise, and it is not general"
