"""Corpus BLEU of the model's continuations of held-out prompts against what really follows (EVAL-2)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import sacrebleu

from robo_poet.model.generate import generate
from robo_poet.model.load import LoadedModel
from robo_poet.model.sampling import Sampling
from robo_poet.model.tokenizer import START

SHORTEST = 8  # tokens of a document that is continued at all: half of them are too few for a prompt otherwise


@dataclass(frozen=True)
class Prompt:
    """A place in a held-out document: its tokens so far, `<START>` first, and what follows, as tokens and as text."""

    ids: list[int]
    following: int
    reference: str


def held_out_prompts(model: LoadedModel, test: Sequence[str], count: int, prompt: int, following: int, seed: int) -> list[Prompt]:
    """`count` seeded places in `test`, spread over documents in proportion to the room they have.

    Args:
        prompt, following: tokens before and after the place. A document too short for both, such as a haiku, is prompted with its
            first half; of one below 8 tokens nothing is asked.
    """
    documents = [ids for ids in model.tokenizer.encode_all(test) if len(ids) >= SHORTEST]
    if not documents:
        return []
    random = np.random.default_rng(seed)
    spans = [(before := min(prompt, len(ids) // 2), min(following, len(ids) - before)) for ids in documents]
    room = np.asarray([len(ids) - before - after + 1 for ids, (before, after) in zip(documents, spans, strict=True)], np.float64)
    places = []
    for number in random.choice(len(documents), size=count, p=room / room.sum()):
        ids, (before, after) = documents[number], spans[number]
        at = int(random.integers(0, len(ids) - before - after + 1)) + before
        places.append(Prompt([START, *ids[at - before : at]], after, model.tokenizer.decode(ids[at : at + after])))
    return places


def corpus_bleu(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """Corpus BLEU, 1- to 4-grams, brevity penalty, in [0, 1]. `floor` at 0.1 is NLTK's smoothing method 1 (Chen & Cherry 2014)."""
    return float(sacrebleu.corpus_bleu(list(hypotheses), [list(references)], smooth_method="floor", smooth_value=0.1).score / 100)


def measure_bleu(
    model: LoadedModel, prompts: Sequence[Prompt], sampling: Sampling, *, batch: int, seed: int, say: Callable[[int, int], None]
) -> float:
    """BLEU of one completion a prompt, at most as long as what really follows; completion i draws from seed + i."""
    texts = []
    for at in range(0, len(prompts), batch):
        chunk = prompts[at : at + batch]
        each = [replace(sampling, max_new=p.following, min_new=min(sampling.min_new, p.following)) for p in chunk]
        texts += [c.text for c in generate(model, [p.ids for p in chunk], each, range(seed + at, seed + at + len(chunk)))]
        say(len(texts), len(prompts))
    return corpus_bleu(texts, [p.reference for p in prompts])
