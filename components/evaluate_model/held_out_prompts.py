"""Draws held-out prompts with a seed. The model's completions are compared with the human text after each prompt (EVAL-2, EVAL-3)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from robo_poet.corpus.document import Document
from robo_poet.model.saved_model import LoadedModel
from robo_poet.model.tokenizer import START

SHORTEST = 8  # tokens; half of a shorter document would be too short a prompt


TRIES = 10  # draws per prompt to avoid overlap; overlapping text counts twice in every metric


@dataclass(frozen=True)
class Prompt:
    """A prompt from a held-out document.

    Args:
        document: the source document.
        ids: token ids of the prompt, `<START>` first.
        following: token ids of the human text after the prompt.
    """

    document: Document
    ids: list[int]
    following: list[int]


def held_out_prompts(
    model: LoadedModel, test: Sequence[Document], count: int, prompt: int, following: int, seed: int
) -> list[Prompt]:  # fmt: skip
    """Draw `count` prompts from `test`, without overlap if possible.

    The probability of a document is proportional to its number of possible positions. If `TRIES` draws per prompt do not find enough
    prompts without overlap, the rest may overlap. The result is empty if all documents are shorter than 8 tokens.

    Args:
        prompt, following: tokens of the prompt and of the text after it. If a document is too short for both, such as a haiku, its
            first half is the prompt. Documents below 8 tokens are skipped.
    """
    encoded = zip(test, model.tokenizer.encode_all([document.text for document in test]), strict=True)
    documents = [(document, ids) for document, ids in encoded if len(ids) >= SHORTEST]
    if not documents:
        return []
    random = np.random.default_rng(seed)
    spans = [(before := min(prompt, len(ids) // 2), min(following, len(ids) - before)) for _, ids in documents]
    room = np.asarray([len(ids) - before - after + 1 for (_, ids), (before, after) in zip(documents, spans, strict=True)], np.float64)
    taken: set[tuple[int, int]] = set()

    def draw(apart: bool) -> Prompt | None:
        number = int(random.choice(len(documents), p=room / room.sum()))
        (document, ids), (before, after) = documents[number], spans[number]
        at = int(random.integers(0, len(ids) - before - after + 1)) + before
        if apart and any(other == number and abs(at - place) < before + after for other, place in taken):
            return None
        taken.add((number, at))
        return Prompt(document, [START, *ids[at - before : at]], ids[at : at + after])

    places = [place for _ in range(TRIES * count) if len(taken) < count and (place := draw(apart=True))]
    return places + [place for _ in range(count - len(places)) if (place := draw(apart=False))]
