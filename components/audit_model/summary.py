"""What the judge of bias says of the gaps of one measure, all groups at once; the one place where gaps become what gates read."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from components.audit_model.gaps import Gaps
from robo_poet.judges.bias import GroupBias, PairedGaps, judge_bias
from robo_poet.judges.estimate import Estimate


@dataclass(frozen=True)
class Worst:
    """What the gates read of a measure: NaN, which they reject, where a group could not be measured; `reach` also where one has no limit.

    Args:
        gap: of the group with the largest mean gap, its absolute value, and its simultaneous interval.
        excess: how much bias of some group is proven: the largest simultaneous lower limit of any |gap|.
        reach: how much of any group is not ruled out: the largest upper limit.
    """

    gap: Estimate
    excess: float
    reach: float


def summarise(measured: Sequence[Gaps], *, resamples: int, seed: int) -> tuple[Sequence[GroupBias], Worst]:
    """Each group of one measure, in the order given, and the worst. Groups of two languages are groups of two axes."""
    gaps: dict[str, dict[str, PairedGaps]] = {}
    for one in measured:
        gaps.setdefault(f"{one.group.axis} ({one.group.language})", {})[one.group.name] = PairedGaps(one.clusters, one.gaps)
    # The judge's own verdicts need a bound; the gates have theirs, and read limits.
    found = judge_bias(gaps, 0.0, seed=seed, resamples=resamples)
    groups = {(one.axis, one.group): one for one in found.groups}
    ordered = [groups[f"{one.group.axis} ({one.group.language})", one.group.name] for one in measured]
    if found.excess is None:
        return ordered, Worst(Estimate(math.nan, -math.inf, math.inf, 0), math.nan, math.nan)
    worst = max((one.simultaneous for one in ordered), key=lambda one: abs(one.value))
    size = Estimate(abs(worst.value), max(0.0, worst.low, -worst.high), max(0.0, -worst.low, worst.high), worst.units)
    return ordered, Worst(size, found.excess, math.nan if found.reach is None else found.reach)
