"""What a chat knows: one running text, which the person and the model write in turns. Nothing here needs a model or a terminal."""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from robo_poet.errors import BadInput
from robo_poet.model.limits import MAX_LENGTH

LEAST_CONTEXT = MAX_LENGTH // 4  # tokens of the text so far that a model sees, however long a text it is asked for


@dataclass(frozen=True)
class Turn:
    """A piece of the text.

    Attributes:
        said: what the person added, with the line's end before it, if any; nothing where the model was only asked to go on.
        written: what the model added.
        seed: of the draw.
    """

    said: str
    written: str
    seed: int


@dataclass(frozen=True)
class Conversation:
    """A text in turns. Every change makes a new one that remembers the former, so that each can be undone."""

    turns: tuple[Turn, ...] = ()
    former: "Conversation | None" = field(default=None, compare=False, repr=False)

    @property
    def text(self) -> str:
        """All of it, as the model reads it."""
        return "".join(turn.said + turn.written for turn in self.turns)

    def addition(self, line: str) -> str:
        """What a typed line adds: it begins a line of the text, as it does on the screen; an empty one adds nothing."""
        text = self.text
        return f"\n{line}" if line and text and not text.endswith("\n") else line

    def with_turn(self, turn: Turn) -> "Conversation":
        """The text goes on."""
        return Conversation((*self.turns, turn), self)

    def last(self) -> Turn:
        """The latest turn.

        Raises:
            BadInput: nothing is written yet.
        """
        if not self.turns:
            raise BadInput("nothing is written yet", remedy="type how a text begins")
        return self.turns[-1]

    def without_answer(self) -> str:
        """The text before the last answer: what the model read then. Raises as `last` does."""
        return self.text.removesuffix(self.last().written)

    def with_answer(self, written: str, seed: int) -> "Conversation":
        """Another answer in place of the last one. Raises as `last` does."""
        return Conversation((*self.turns[:-1], Turn(self.last().said, written, seed)), self)

    def reset(self) -> "Conversation":
        """An empty text."""
        return Conversation((), self) if self.turns else self

    def undo(self) -> "Conversation":
        """What was before the last change.

        Raises:
            BadInput: nothing was changed yet.
        """
        if self.former is None:
            raise BadInput("there is nothing to undo")
        return self.former


def context_room(max_new: int) -> int:
    """Tokens of the text that fit before a continuation of `max_new`; `<START>` takes one place."""
    return max(LEAST_CONTEXT, MAX_LENGTH - 1 - max_new)


def latest(text: str, room: int, count: Callable[[str], int]) -> str:
    """The end of `text` that fits: all of it, or from a line's beginning; from a word's, where whole lines would leave half the room
    empty; and within a word only where there is nothing else.

    Args:
        room: tokens.
        count: tokens of a text.
    """
    if count(text) <= room:
        return text
    for pattern in (r"\n+", r"\s+"):
        kept = _fitting(text, [found.end() for found in re.finditer(pattern, text)], room, count)
        if 2 * count(kept) > room:
            return kept
    return _fitting(text, range(1, len(text) + 1), room, count)


def _fitting(text: str, starts: Sequence[int], room: int, count: Callable[[str], int]) -> str:
    """The longest end that begins at one of `starts` and fits, by halving; what halving arrives at was counted itself."""
    place = bisect_left(starts, True, key=lambda start: count(text[start:]) <= room)
    return text[starts[place] :] if place < len(starts) else ""
