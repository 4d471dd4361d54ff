"""Tokens as a reader sees them: whole characters, each with how likely it was. Pure."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from robo_poet.model.completion import Completion
from robo_poet.model.tokenizer import Tokenizer
from serving.gateway.plain_text import without_controls

_UNFINISHED = "\N{REPLACEMENT CHARACTER}"


class TokenText(NamedTuple):
    """A piece of the text: one token, or the few that share a character.

    Attributes:
        probability: under the unmodified distribution; of several tokens, their product.
    """

    text: str
    probability: float


def token_texts(words: Tokenizer, written: Completion) -> list[TokenText]:
    """The pieces of a completion; put together they are its text, without half a character at its end and without controls."""
    left = len(written.text.rstrip(_UNFINISHED))
    found: list[TokenText] = []
    waiting: list[int] = []
    nats = 0.0
    for number, (token, chance) in enumerate(zip(written.tokens, written.log_probs, strict=True), 1):
        waiting.append(token)
        nats += chance
        text = words.decode(waiting)
        if text.endswith(_UNFINISHED) and number < len(written.tokens):
            continue
        found.append(TokenText(without_controls(text[:left]), math.exp(min(0.0, nats))))
        left -= len(text)
        waiting, nats = [], 0.0
        if left <= 0:
            break
    return found


def settled(pieces: Sequence[TokenText]) -> int:
    """How many of `pieces` may be shown while more come: those before the last one that begins a word.

    What is judged and shown is then whole words: the first half of a word may be another word, or hide one.
    """
    if len(pieces) > _LONGEST:
        return len(pieces)
    return next((number for number in reversed(range(len(pieces))) if pieces[number].text[:1].isspace()), 0)


_LONGEST = 64  # pieces without a word's end are no word
