"""The compared texts: words and n-grams, overlapping excerpts, and the two sides of the continuation table.

Words do not depend on a model's tokenizer, so models with different tokenizers can be compared. Two excerpts that overlap are not
independent human texts, so this module detects overlaps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from robo_poet.evaluation.completions import Continuation
from robo_poet.evaluation.degeneration import ngrams, words
from robo_poet.model.tokenizer import Tokenizer

OVERLAP = 8  # words; two texts that share a run of this length overlap
Grams = set[tuple[str | int, ...]]


def non_overlapping_rows(texts: Sequence[str]) -> list[int]:
    """Return the rows of texts that do not overlap an earlier returned row."""
    used_grams: Grams = set()
    rows = []
    for row, grams in enumerate(map(_grams, texts)):
        if not grams & used_grams:
            rows.append(row)
            used_grams |= grams
    return rows


def other_texts_of_work(texts: Sequence[str], works: Sequence[str], seed: int) -> list[str | None]:
    """Return for each text a different, non-overlapping text of the same work, chosen by `seed`; None if there is none."""
    grams = [_grams(text) for text in texts]
    rows_of: dict[str, list[int]] = {}
    for row in np.random.default_rng(seed).permutation(len(texts)).tolist():
        rows_of.setdefault(works[row], []).append(row)
    partners: list[str | None] = [None] * len(texts)
    for rows in rows_of.values():
        for index, row in enumerate(rows):
            candidates = (
                other for other in rows[index + 1 :] + rows[:index] if texts[other] != texts[row] and not grams[other] & grams[row]
            )
            other = next(candidates, None)
            partners[row] = None if other is None else texts[other]
    return partners


def _grams(text: str) -> Grams:
    split = words(text)
    return set(ngrams(split, min(OVERLAP, len(split)))) if split else set()


@dataclass(frozen=True)
class Side:
    """The texts of one side, in the order of the table.

    Args:
        tokens: token IDs of each text. They come from encoding the text and are not the IDs that the model sampled. So the same text has
            the same tokens in the training text, in a completion and in a reference.
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
