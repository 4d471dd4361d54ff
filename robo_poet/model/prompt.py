"""Encoding and checks of a prompt (GEN-2)."""

from collections.abc import Mapping
from typing import Any, Protocol

from robo_poet.errors import BadInput
from robo_poet.model.limits import MIN_PROMPT
from robo_poet.model.tokenizer import START, Tokenizer


class Reads(Protocol):
    """A model with a tokenizer and a manifest whose `max_length` limits a text in tokens."""

    @property
    def tokenizer(self) -> Tokenizer: ...
    @property
    def manifest(self) -> Mapping[str, Any]: ...


def encode_prompt(model: Reads, text: str) -> list[int]:
    """Return the token ids of a prompt, with `<START>` first.

    Raises:
        BadInput: fewer than 3 tokens, or no room for a completion.
    """
    ids = model.tokenizer.encode(text)
    room = int(model.manifest["max_length"]) - 2
    if len(ids) < MIN_PROMPT:
        raise BadInput(f"too few tokens, {len(ids)}", where="prompt", remedy=f"give at least {MIN_PROMPT}, a few words")
    if len(ids) > room:
        raise BadInput(f"too many tokens, {len(ids)}", where="prompt", remedy=f"give at most {room}")
    return [START, *ids]
