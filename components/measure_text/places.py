"""Detection of overlapping texts: two excerpts of the same lines are not independent human texts."""

from collections.abc import Sequence

import numpy as np

from components.measure_text.words import ngrams, words

OVERLAP = 8  # words; two texts that share a run of this length overlap
Grams = set[tuple[str | int, ...]]


def apart(texts: Sequence[str]) -> list[int]:
    """Return the rows of texts that do not overlap an earlier returned row."""
    used_grams: Grams = set()
    rows = []
    for row, grams in enumerate(map(_grams, texts)):
        if not grams & used_grams:
            rows.append(row)
            used_grams |= grams
    return rows


def other_places(texts: Sequence[str], works: Sequence[str], seed: int) -> list[str | None]:
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
