"""The output of the canary judge."""

from dataclasses import dataclass
from typing import Any, Literal

Action = Literal["continue", "next_step", "promote", "roll_back", "hold", "end_watch"]


@dataclass(frozen=True)
class Verdict:
    """What to do with a canary now.

    Args:
        action: `continue` changes nothing. `hold` stops the ramp until a person or a later verdict lets it go on.
        reasons: why, the most important reason first. Never empty.
        evidence: JSON object with the data behind the verdict, the same for the same input.
    """

    action: Action
    reasons: tuple[str, ...]
    evidence: dict[str, Any]
