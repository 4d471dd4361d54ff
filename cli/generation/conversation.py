"""The running text of a chat, as turns of the user and the model. This module needs no model and no terminal."""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from robo_poet.errors import BadInput
from robo_poet.model.completion import MAX_LENGTH

LEAST_CONTEXT = MAX_LENGTH // 4  # minimum tokens of context that the model sees, for any `max_new`


@dataclass(frozen=True)
class Turn:
    """One turn: text of the user, and the model's continuation.

    Attributes:
        typed: text that the user added, with a leading newline if one was inserted; empty if the user only asked to continue.
        generated: text that the model added.
        seed: seed of the sampling.
    """

    typed: str
    generated: str
    seed: int


@dataclass(frozen=True)
class Conversation:
    """An immutable text in turns. Every change returns a new object with a link to the previous one, so that it can be undone."""

    turns: tuple[Turn, ...] = ()
    previous: "Conversation | None" = field(default=None, compare=False, repr=False)

    @property
    def text(self) -> str:
        """The full text, as the model reads it."""
        return "".join(turn.typed + turn.generated for turn in self.turns)

    def addition(self, line: str) -> str:
        """Return the text that a typed line adds. It starts on a new line, as on the screen. An empty line adds nothing."""
        text = self.text
        return f"\n{line}" if line and text and not text.endswith("\n") else line

    def with_turn(self, turn: Turn) -> "Conversation":
        """Return the conversation with one more turn."""
        return Conversation((*self.turns, turn), self)

    def last_turn(self) -> Turn:
        """Return the last turn.

        Raises:
            BadInput: there is no turn yet.
        """
        if not self.turns:
            raise BadInput("there is no text yet", remedy="type the beginning of a text")
        return self.turns[-1]

    def without_answer(self) -> str:
        """Return the text without the last answer: the text that the model continued. Raises the same errors as `last_turn`."""
        return self.text.removesuffix(self.last_turn().generated)

    def with_answer(self, generated: str, seed: int) -> "Conversation":
        """Return the conversation with the last answer replaced. Raises the same errors as `last_turn`."""
        return Conversation((*self.turns[:-1], Turn(self.last_turn().typed, generated, seed)), self)

    def reset(self) -> "Conversation":
        """Return an empty conversation, which `undo` can revert."""
        return Conversation((), self) if self.turns else self

    def undo(self) -> "Conversation":
        """Return the conversation before the last change.

        Raises:
            BadInput: there is no change to undo.
        """
        if self.previous is None:
            raise BadInput("there is nothing to undo")
        return self.previous


def context_room(max_new: int) -> int:
    """Return how many tokens of context fit before a continuation of `max_new` tokens. `<START>` takes one position."""
    return max(LEAST_CONTEXT, MAX_LENGTH - 1 - max_new)


def fitting_end(text: str, room: int, count: Callable[[str], int]) -> str:
    """Return the longest suitable end of `text` that has at most `room` tokens.

    The end starts at the first of these that applies:
    - the beginning of the text, if all of it fits;
    - the beginning of a line, if the result fills more than half of the room;
    - the beginning of a word, by the same rule;
    - any character.

    Args:
        room: maximum number of tokens.
        count: returns the number of tokens of a text.
    """
    if count(text) <= room:
        return text
    for pattern in (r"\n+", r"\s+"):
        tail = _fitting(text, [match.end() for match in re.finditer(pattern, text)], room, count)
        if 2 * count(tail) > room:
            return tail
    return _fitting(text, range(1, len(text) + 1), room, count)


def _fitting(text: str, starts: Sequence[int], room: int, count: Callable[[str], int]) -> str:
    """Return the longest end that starts at one of `starts` and fits, by binary search. The search has counted the end that it returns."""
    index = bisect_left(starts, True, key=lambda start: count(text[start:]) <= room)
    return text[starts[index] :] if index < len(starts) else ""
