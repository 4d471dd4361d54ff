"""One side of the table: what the model wrote after the prompts, or what people did."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from components.measure_text.words import words
from robo_poet.evaluation.completions import Continuation
from robo_poet.model.tokenizer import Tokenizer


@dataclass(frozen=True)
class Side:
    """Texts in the order of the table.

    Args:
        tokens: ids of each text. They are the tokenizer's own division, not the one that the model happened to write: the same letters
            are the same tokens in the training text, in a completion and in a reference.
    """

    prompts: list[str]
    texts: list[str]
    tokens: list[list[int]]

    @cached_property
    def words(self) -> list[list[str]]:
        """Words and marks of each text."""
        return [words(text) for text in self.texts]


def sides(rows: Sequence[Continuation], tokenizer: Tokenizer) -> tuple[Side, Side]:
    """The model's side and people's."""
    prompts = [row.prompt for row in rows]
    model, human = [row.text for row in rows], [row.reference for row in rows]
    return Side(prompts, model, list(tokenizer.encode_all(model))), Side(prompts, human, list(tokenizer.encode_all(human)))
