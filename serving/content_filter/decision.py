"""What the filter says of a text."""

from dataclasses import dataclass
from typing import Literal

Side = Literal["prompt", "completion"]


@dataclass(frozen=True, slots=True)
class Hit:
    """What one judge found.

    Attributes:
        rule: `judge` or `judge.name`; of a small fixed set and never a part of the text, so that it may stand in logs and labels.
        category: what kind of text it is, such as `slur` or `personal_data`.
    """

    rule: str
    category: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a text.

    Attributes:
        allowed: it may pass.
        rule: of the hit that refused it or, where it is allowed, of one that is only logged; empty where nothing was hit.
        category: of that hit.
    """

    allowed: bool
    rule: str = ""
    category: str = ""
