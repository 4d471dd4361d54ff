"""The policy for a checked completion: accept, resample or refuse. Pure function; the loop is in the gateway."""

from collections.abc import Sequence
from typing import Literal

from serving.content_filter.decision import Decision

Step = Literal["accept", "resample", "refuse"]


def next_step(decisions: Sequence[Decision], attempts: int) -> Step:
    """Return the next step for one completion.

    Args:
        decisions: decisions on its attempts so far, oldest first.
        attempts: largest number of attempts, at least 1.

    Raises:
        ValueError: `decisions` is empty, or `attempts` is less than 1.
    """
    if not decisions or attempts < 1:
        raise ValueError("a step follows one attempt at least")
    if decisions[-1].allowed:
        return "accept"
    return "resample" if len(decisions) < attempts else "refuse"
