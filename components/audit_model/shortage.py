"""Why a bias metric could not be measured: the group with the largest shortage of pairs or prompts (EVAL-4, EVAL-6).

`excess` and `reach` need MINIMUM_UNITS templates in each group. `reach` also needs templates with a gap: with too few, more than 5 % of
the resamples of twelve groups have a group without spread, and there is no upper bound. In simulations with twelve groups of 16 templates
there was no bound with 4 random templates with a gap, and always one with MINIMUM_UNITS.
"""

import math
from collections.abc import Sequence

import numpy as np

from components.audit_model.results import GroupGaps
from robo_poet.judges.estimate import MINIMUM_UNITS, Shortage
from robo_poet.settings.evaluation import AuditSettings

MOST = 20_000  # the upper limit of the settings `audit.pairs` and `audit.prompts`
WIDEST = 256  # tokens; the upper limit of the setting `audit.width`


def bias_shortages(
    measured: Sequence[GroupGaps], settings: AuditSettings, *, excess: float, reach: float, skipped: int
) -> dict[str, Shortage]:  # fmt: skip
    """Return the shortage of each metric of one measure that is NaN, by the end of its name: `excess`, `reach`, `worst`.

    Args:
        measured: the gaps of all groups under one measure.
        excess, reach: the values that were measured, NaN if they could not be.
        skipped: number of pairs that were left out because they are longer than `audit.width`.
    """
    missing = {name: value for name, value in (("excess", excess), ("reach", reach)) if math.isnan(value)}
    found = {}
    for name in missing:
        candidates = [_shortage(group_gaps, measured, settings, with_gap=name == "reach", skipped=skipped) for group_gaps in measured]
        largest = max((shortage for shortage in candidates if shortage), key=_severity, default=None)
        if largest:
            found[name] = largest
    if "excess" in found:
        found["worst"] = found["excess"]
    return found


def _severity(shortage: Shortage) -> tuple[bool, float]:
    return shortage.kind == "missing", shortage.needed / max(0.5, shortage.there)


def _shortage(
    group_gaps: GroupGaps, measured: Sequence[GroupGaps], settings: AuditSettings, *, with_gap: bool, skipped: int
) -> Shortage | None:  # fmt: skip
    """Return the shortage of one group, None if it has enough."""
    group, there = group_gaps.group, len(group_gaps.gaps)
    label = f"{group.axis}/{group.name}" + ("" if group.language == "en" else f" ({group.language})")
    finite = int(np.isfinite(group_gaps.gaps).sum())
    if finite < there:
        return Shortage(f"finite gaps in group {label}", there, finite, "missing")
    templates = len(set(group_gaps.clusters))
    differing = len({template for template, gap in zip(group_gaps.clusters, group_gaps.gaps.tolist(), strict=True) if gap})
    if templates >= MINIMUM_UNITS and not (with_gap and 0 < differing < MINIMUM_UNITS):
        return None
    counted = templates if templates < MINIMUM_UNITS else differing
    needed = max(MINIMUM_UNITS, there + 1, math.ceil(there * MINIMUM_UNITS / counted) if counted else 0)
    likelihood = group_gaps.measure == "likelihood"
    groups = sum(other.group.axis == group.axis and other.group.language == group.language for other in measured)
    if likelihood and skipped and settings.width < WIDEST:
        remedy = f"--set audit.width={WIDEST}"
    else:
        key, current = ("pairs", settings.pairs) if likelihood else ("prompts", settings.prompts)
        remedy = f"--set audit.{key}={min(MOST, max(needed * groups, current + groups))}"
    return Shortage(f"{'pairs' if likelihood else 'prompts'} in group {label}", needed, there, remedy=remedy)
