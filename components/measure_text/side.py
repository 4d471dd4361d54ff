"""One side of the continuation table: the model's completions, or the human references."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from components.measure_text.words import words
from robo_poet.evaluation.completions import Continuation
from robo_poet.model.tokenizer import Tokenizer


@dataclass(frozen=True)
class Side:
    """The texts of one side, in the order of the table.

    Args:
        tokens: token IDs of each text, from encoding the text, not the IDs that the model sampled. So equal text has equal tokens in the
            training text, in a completion and in a reference.
    """

    prompts: list[str]
    texts: list[str]
    tokens: list[list[int]]

    @cached_property
    def words(self) -> list[list[str]]:
        """Words and punctuation marks of each text, see `words`."""
        return [words(text) for text in self.texts]


def sides(rows: Sequence[Continuation], tokenizer: Tokenizer) -> tuple[Side, Side]:
    """Return the model's side and the human side."""
    prompts = [row.prompt for row in rows]
    model, human = [row.text for row in rows], [row.reference for row in rows]
    return Side(prompts, model, list(tokenizer.encode_all(model))), Side(prompts, human, list(tokenizer.encode_all(human)))
