"""The type of a content rule."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from serving.content_filter.decision import Side
from serving.content_filter.passage import Passage


@dataclass(frozen=True, slots=True)
class Rule:
    """A named pattern.

    Attributes:
        name: unique name, part of `Hit.rule`.
        category: kind of text, such as `personal_data`.
        sides: sides on which the rule applies.
        pattern: the regular expression. It must run in linear time, so it has no nested repetition.
        reads: `text` for the original text, `folded` for the folded text.
        needs: a cheap test before the pattern: the folded text must contain one of these strings. Empty: no test.
        confirm: a second test for each match of the pattern, such as a check digit.
    """

    name: str
    category: str
    sides: tuple[Side, ...]
    pattern: re.Pattern[str]
    reads: Literal["text", "folded"] = "folded"
    needs: tuple[str, ...] = ()
    confirm: Callable[[str], bool] | None = None

    def hits(self, passage: Passage) -> bool:
        """Return True if the rule matches."""
        if self.needs and not any(needed in passage.folded for needed in self.needs):
            return False
        text = passage.folded if self.reads == "folded" else passage.text
        return any(self.confirm is None or self.confirm(match.group()) for match in self.pattern.finditer(text))
