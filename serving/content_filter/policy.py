"""What becomes of a completion after the filter has seen it: shown, drawn again, or refused. Pure; the gateway has the loop."""

from collections.abc import Sequence
from typing import Literal

from serving.content_filter.decision import Decision

Step = Literal["accept", "resample", "refuse"]


def next_step(decisions: Sequence[Decision], attempts: int) -> Step:
    """What to do after these decisions on the attempts at one completion, oldest first.

    Args:
        attempts: completions that may be drawn in all, from 1.

    Raises:
        ValueError: no attempt was made, or none may be.
    """
    if not decisions or attempts < 1:
        raise ValueError("a step follows one attempt at least")
    if decisions[-1].allowed:
        return "accept"
    return "resample" if len(decisions) < attempts else "refuse"
