"""The drift judge: (windows, baseline, policy, held-out text) → verdict with reasons and evidence (MON-2, MON-4, contract 9).

A drift needs the last `policy.windows` windows: in each of them the lower bound of the rise is above `proven_rise`, and in one of them the
estimate reaches `rise`. One window would not be enough: the probability that a bound fails is `level` a window, once in 100 days.
Everything that prevents a comparison gives `cannot_tell` with the reason. It is never "no drift".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Literal

from robo_poet.judges.drift.cause import likely_cause, model_change, slices
from robo_poet.judges.drift.observations import NOT_SCORED, Baseline, HeldOut, Window
from robo_poet.judges.drift.policy import DriftPolicy
from robo_poet.judges.drift.rise import Rise, rise

Action = Literal["no_drift", "rising", "drift", "cannot_tell"]
WORDS: Final[Mapping[str, str]] = {
    "no_drift": "no drift", "rising": "rising, not yet a drift", "drift": "drift", "cannot_tell": "cannot tell",
}  # fmt: skip
SHOWN_SLICES = 8


@dataclass(frozen=True)
class DriftVerdict:
    """The verdict on the newest window.

    Attributes:
        action: `rising` means that the newest window meets the condition, but not enough windows do.
        reasons: why, the most important reason first. Never empty.
        cause: likely cause of a rise; empty without one.
        evidence: JSON object with the numbers behind the verdict, the same for the same input.
    """

    action: Action
    reasons: tuple[str, ...]
    cause: str
    evidence: dict[str, Any]


def judge_drift(windows: Sequence[Window], baseline: Baseline | None, policy: DriftPolicy, heldout: HeldOut = NOT_SCORED) -> DriftVerdict:
    """Judge the newest window.

    Args:
        windows: closed windows, oldest first. A window that is missing between two others breaks their succession.
        baseline: None if the version has none.
        heldout: the version's held-out text, scored after the newest window.
    """
    if doubt := _doubt(windows, baseline, policy):
        return DriftVerdict("cannot_tell", (doubt,), "", {"windows": [], "policy": vars(policy) | {}})
    assert baseline is not None
    rises: list[Rise] = []
    for window in reversed(windows):
        if len(rises) == policy.windows or _unusable(window, policy) or (rises and not _follows(window, windows, len(rises))):
            break
        rises.append(rise(window, baseline, policy.level))
    newest, window = rises[0], windows[-1]
    proven = [found.low > policy.proven_rise for found in rises]
    large = any(found.estimate >= policy.rise for found in rises)
    cause, why = likely_cause(window, baseline, newest, policy, heldout) if proven[0] else ("", "")
    evidence = {
        "windows": [_as_json(found, past) for found, past in zip(rises, reversed(windows), strict=False)],
        "baseline": {"users": baseline.everyone.users, "nats": baseline.everyone.mean},
        "slices": [row.as_json() for row in slices(window, baseline, newest)[:SHOWN_SLICES]] if proven[0] else [],
        "heldout": {
            "nats": heldout.nats,
            "baseline": baseline.heldout.nats,
            "rise": model_change(baseline, heldout)[0],
            "doubt": heldout.doubt,
        },
        "policy": vars(policy) | {},
    }
    measured = f"perplexity {newest.perplexity:.4g}, {newest.estimate:+.1%} over the baseline (lower bound {newest.low:+.1%})"
    users = f"{newest.users} users"
    if len(rises) == policy.windows and all(proven) and large:
        return DriftVerdict("drift", (f"{measured}, {users}, in {policy.windows} consecutive windows", why), cause, evidence)
    if proven[0]:
        missing = (
            "an earlier window with the same result" if len(rises) < policy.windows or not all(proven) else f"a rise of {policy.rise:.0%}"
        )
        return DriftVerdict("rising", (f"{measured}, {users}; a drift needs {missing}", why), cause, evidence)
    return DriftVerdict("no_drift", (f"{measured}, {users}; a drift needs a lower bound above {policy.proven_rise:+.0%}",), "", evidence)


def _doubt(windows: Sequence[Window], baseline: Baseline | None, policy: DriftPolicy) -> str:
    """Return why the newest window cannot be judged; empty if it can."""
    if baseline is None:
        return "the version has no baseline yet; its first windows make it"
    if baseline.everyone.users < policy.min_users:
        return f"the baseline has {baseline.everyone.users} users, {policy.min_users} needed"
    if not windows:
        return "there is no window"
    if any(later.start < earlier.end for earlier, later in pairwise(windows)):
        return "the windows overlap or are not in order; a clock was set back"
    return _unusable(windows[-1], policy)


def _unusable(window: Window, policy: DriftPolicy) -> str:
    if not window.users and not window.unscored:
        return "there was no request in the window"
    if len(window.users) < policy.min_users:
        return f"the window has {len(window.users)} users with a score, {policy.min_users} needed"
    if window.unscored > policy.max_unscored:
        return f"{window.unscored:.0%} of the prompts have no score, at most {policy.max_unscored:.0%} allowed"
    return ""


def _follows(window: Window, windows: Sequence[Window], back: int) -> bool:
    """Return True if the window before the last `back` windows ends where they start, up to half a window."""
    later = windows[-back]
    return later.start - window.end <= (later.end - later.start) / 2


def _as_json(found: Rise, window: Window) -> dict[str, Any]:
    return {
        "start": window.start, "end": window.end, "users": found.users, "perplexity": found.perplexity, "rise": found.estimate,
        "low": found.low, "high": found.high, "unscored": window.unscored,
    }  # fmt: skip
