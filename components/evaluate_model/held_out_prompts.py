"""Held-out prompts, drawn with a seed. The model's completions are compared with the human text after each prompt (EVAL-2, EVAL-3)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from robo_poet.corpus.document import Document
from robo_poet.model.saved_model import LoadedModel
from robo_poet.model.tokenizer import START

MIN_DOCUMENT_TOKENS = 8  # tokens; a prompt from half of a shorter document would be too short


MAX_DRAWS_PER_PROMPT = 10  # draws per prompt to avoid overlap; overlapping text counts twice in every metric


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

    The probability of a document is proportional to its number of possible positions. If 10 draws per prompt do not find enough
    prompts without overlap, the rest may overlap. The result is empty if all documents are shorter than 8 tokens.

    Args:
        prompt, following: number of tokens of the prompt and of the text after it. If a document is too short for both, such as a haiku,
            its first half is the prompt. Documents below 8 tokens are skipped.
    """
    encoded = zip(test, model.tokenizer.encode_all([document.text for document in test]), strict=True)
    documents = [(document, ids) for document, ids in encoded if len(ids) >= MIN_DOCUMENT_TOKENS]
    if not documents:
        return []
    random = np.random.default_rng(seed)
    spans = [(before := min(prompt, len(ids) // 2), min(following, len(ids) - before)) for _, ids in documents]
    positions = np.asarray([len(ids) - before - after + 1 for (_, ids), (before, after) in zip(documents, spans, strict=True)], np.float64)
    drawn: set[tuple[int, int]] = set()

    def draw(apart: bool) -> Prompt | None:
        number = int(random.choice(len(documents), p=positions / positions.sum()))
        (document, ids), (before, after) = documents[number], spans[number]
        position = int(random.integers(0, len(ids) - before - after + 1)) + before
        if apart and any(
            other_number == number and abs(position - other_position) < before + after for other_number, other_position in drawn
        ):
            return None
        drawn.add((number, position))
        return Prompt(document, [START, *ids[position - before : position]], ids[position : position + after])

    prompts = [drawn_prompt for _ in range(MAX_DRAWS_PER_PROMPT * count) if len(drawn) < count and (drawn_prompt := draw(apart=True))]
    return prompts + [drawn_prompt for _ in range(count - len(prompts)) if (drawn_prompt := draw(apart=False))]
