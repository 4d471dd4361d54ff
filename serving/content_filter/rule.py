"""What a rule is."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from serving.content_filter.decision import Side
from serving.content_filter.passage import Passage


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern with a name.

    Attributes:
        sides: where it is asked.
        pattern: what it looks for; in linear time, so without one repetition inside another.
        reads: the text as it is, or folded to plain lower-case letters.
        needs: one of these must stand in the folded text, or the pattern is not tried: cheap first.
        confirm: the last word on what the pattern found.
    """

    name: str
    category: str
    sides: tuple[Side, ...]
    pattern: re.Pattern[str]
    reads: Literal["text", "folded"] = "folded"
    needs: tuple[str, ...] = ()
    confirm: Callable[[str], bool] | None = None

    def hits(self, passage: Passage) -> bool:
        """It finds what it looks for."""
        if self.needs and not any(part in passage.folded for part in self.needs):
            return False
        text = passage.folded if self.reads == "folded" else passage.text
        return any(self.confirm is None or self.confirm(found.group()) for found in self.pattern.finditer(text))
