"""Seeded places in held-out documents, for the model to write on: judged beside what people wrote there (EVAL-2, EVAL-3)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from robo_poet.corpus.document import Document
from robo_poet.model.load import LoadedModel
from robo_poet.model.tokenizer import START

SHORTEST = 8  # tokens of a document that is continued at all: half of them are too few for a prompt otherwise


TRIES = 10  # a place, to find one apart from the others: what overlaps counts twice in every metric


@dataclass(frozen=True)
class Prompt:
    """A place in a held-out document: its tokens so far, `<START>` first, and the tokens that follow."""

    document: Document
    ids: list[int]
    following: list[int]


def held_out_prompts(
    model: LoadedModel, test: Sequence[Document], count: int, prompt: int, following: int, seed: int
) -> list[Prompt]:  # fmt: skip
    """`count` seeded places in `test`, spread over documents in proportion to their room; apart from each other where they can be.

    Args:
        prompt, following: tokens before and after the place. A document too short for both, such as a haiku, is prompted with its
            first half; of one below 8 tokens nothing is asked.
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
