"""The result types of the content filter."""

from dataclasses import dataclass
from typing import Literal

Side = Literal["prompt", "completion"]


@dataclass(frozen=True, slots=True)
class Hit:
    """A match of one judge.

    Attributes:
        rule: `judge` or `judge.name`. It comes from a small fixed set and never contains text, so it may appear in logs and labels.
        category: the kind of text, such as `slur` or `personal_data`.
    """

    rule: str
    category: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision on a text.

    Attributes:
        allowed: True if the text passes.
        rule: rule of the hit that refused the text. For an allowed text: rule of a hit that is only logged, or empty without a hit.
        category: category of that hit.
    """

    allowed: bool
    rule: str = ""
    category: str = ""
