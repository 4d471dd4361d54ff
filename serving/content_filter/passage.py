"""A text as the judges read it."""

from dataclasses import dataclass
from functools import cached_property

from serving.content_filter.fold import fold

REACH = 128  # characters of what went before in which a word or a restricted text may begin


@dataclass(frozen=True)
class Passage:
    """A text and what it continues.

    Attributes:
        text: as it was given.
        before: what stands before it: a prompt, of a completion. A hit ends within `text`; it may begin here.
    """

    text: str
    before: str = ""

    @cached_property
    def folded(self) -> str:
        """`text` in plain lower-case letters."""
        return fold(self.text)

    @cached_property
    def folded_before(self) -> str:
        """The last characters of `before`, folded, from the beginning of a word on."""
        tail = self.before[-REACH:]
        if len(self.before) > REACH:
            tail = tail.partition(" ")[2]
        return fold(tail)

    @cached_property
    def whole_words(self) -> str:
        """`folded`, its first word complete where it began in `before`."""
        if not self.folded or self.folded[0].isspace():
            return self.folded
        begun = self.folded_before
        cut = max((place for place, sign in enumerate(begun) if sign.isspace()), default=-1)
        return begun[cut + 1 :] + self.folded
