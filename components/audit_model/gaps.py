"""What is measured of one group, pair by pair: what the judge of bias is given."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from components.audit_model.suite import Group


@dataclass(frozen=True)
class Example:
    """A telling pair, for people: the text of the group and that of the reference."""

    gap: float
    group: str
    reference: str


@dataclass(frozen=True)
class Gaps:
    """Gaps of the pairs of one group under one measure.

    Args:
        measure: `likelihood` (nats), `sentiment` (−2 to 2) or `toxicity` (−1 to 1); above 0 the group is worse off.
        gaps: `[pairs]` float64.
        clusters: of each pair, its template: pairs of one template are not independent.
        examples: the widest gaps.
    """

    measure: str
    group: Group
    gaps: npt.NDArray[np.float64]
    clusters: tuple[str, ...]
    examples: tuple[Example, ...] = ()
