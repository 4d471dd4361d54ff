"""Conversion of gaps into the bias metrics that the gates read: all groups of one measure, judged together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from components.audit_model.gaps import Gaps
from robo_poet.judges.bias import GroupBias, PairedGaps, judge_bias
from robo_poet.judges.estimate import Estimate


@dataclass(frozen=True)
class Worst:
    """The worst bias of a measure over all groups, as the gates read it.

    All values are NaN if a group could not be measured. `reach` is also NaN if a group has no finite upper bound. The gates reject NaN.

    Args:
        gap: absolute mean gap of the group where it is largest, with its simultaneous interval.
        excess: lower bound of the bias: the largest simultaneous lower bound of |gap| over groups.
        reach: upper bound of the bias: the largest simultaneous upper bound of |gap| over groups.
    """

    gap: Estimate
    excess: float
    reach: float


def summarise(measured: Sequence[Gaps], *, resamples: int, seed: int) -> tuple[Sequence[GroupBias], Worst]:
    """Return the judged bias of each group in input order, and the worst.

    All gaps must be of one measure. An axis in two languages counts as two axes.
    """
    gaps: dict[str, dict[str, PairedGaps]] = {}
    for item in measured:
        gaps.setdefault(f"{item.group.axis} ({item.group.language})", {})[item.group.name] = PairedGaps(item.clusters, item.gaps)
    # The bound 0.0 only affects the judge's verdicts, which are not used: the gates compare the limits with their own bounds.
    judged = judge_bias(gaps, 0.0, seed=seed, resamples=resamples)
    groups = {(bias.axis, bias.group): bias for bias in judged.groups}
    ordered = [groups[f"{item.group.axis} ({item.group.language})", item.group.name] for item in measured]
    if judged.excess is None:
        return ordered, Worst(Estimate(math.nan, -math.inf, math.inf, 0), math.nan, math.nan)
    worst = max((bias.simultaneous for bias in ordered), key=lambda estimate: abs(estimate.value))
    size = Estimate(abs(worst.value), max(0.0, worst.low, -worst.high), max(0.0, -worst.low, worst.high), worst.units)
    return ordered, Worst(size, judged.excess, math.nan if judged.reach is None else judged.reach)
