"""The input of the judges: a text and the text before it."""

from dataclasses import dataclass
from functools import cached_property

from serving.content_filter.fold import fold

REACH = 128  # characters before the text in which a word or a restricted text may start


@dataclass(frozen=True)
class Passage:
    """A text to check, with its context.

    Attributes:
        text: the original text.
        before: the text before it: the prompt, if `text` is a completion. A hit may start here but must end within `text`.
    """

    text: str
    before: str = ""

    @cached_property
    def folded(self) -> str:
        """The folded `text`: plain lower-case letters."""
        return fold(self.text)

    @cached_property
    def folded_before(self) -> str:
        """The last `REACH` characters of `before`, folded. A cut first word is dropped."""
        tail = self.before[-REACH:]
        if len(self.before) > REACH:
            tail = tail.partition(" ")[2]
        return fold(tail)

    @cached_property
    def whole_words(self) -> str:
        """The folded text. If its first word starts in `before`, the start of that word is included."""
        if not self.folded or self.folded[0].isspace():
            return self.folded
        before = self.folded_before
        last_space = max((i for i, character in enumerate(before) if character.isspace()), default=-1)
        return before[last_space + 1 :] + self.folded
