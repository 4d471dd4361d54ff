"""Gaps of the pairs of one group, the input of the bias judge."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from components.audit_model.suite import Group


@dataclass(frozen=True)
class Example:
    """An example pair for the report: the text about the group and the text about the reference group."""

    gap: float
    group: str
    reference: str


@dataclass(frozen=True)
class Gaps:
    """The gaps of all pairs of one group under one measure.

    Args:
        measure: `likelihood` (nats), `sentiment` (−2 to 2) or `toxicity` (−1 to 1). A positive gap is to the disadvantage of the group.
        gaps: (pairs,) float64.
        clusters: template name of each pair; pairs of one template are not independent.
        examples: pairs with the widest gaps.
    """

    measure: str
    group: Group
    gaps: npt.NDArray[np.float64]
    clusters: tuple[str, ...]
    examples: tuple[Example, ...] = ()
