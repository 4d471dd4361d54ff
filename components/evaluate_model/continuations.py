"""Corpus BLEU of the model's continuations of held-out prompts against what really follows (EVAL-2)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import sacrebleu

from robo_poet.model.generate import Sampling, generate
from robo_poet.model.load import LoadedModel
from robo_poet.model.tokenizer import START


@dataclass(frozen=True)
class Prompt:
    """A place in a held-out document: its tokens so far, `<START>` first, and the text that follows."""

    ids: list[int]
    reference: str


def held_out_prompts(model: LoadedModel, test: Sequence[str], count: int, prompt: int, following: int, seed: int) -> list[Prompt]:
    """`count` seeded places in `test`, spread over documents in proportion to their length.

    Args:
        prompt, following: tokens before and after the place; documents too short for both are left out.
    """
    documents = [ids for ids in model.tokenizer.encode_all(test) if len(ids) >= prompt + following]
    if not documents:
        return []
    random = np.random.default_rng(seed)
    room = np.asarray([len(ids) - prompt - following + 1 for ids in documents], np.float64)
    places = []
    for number in random.choice(len(documents), size=count, p=room / room.sum()):
        ids = documents[number]
        at = int(random.integers(0, len(ids) - prompt - following + 1)) + prompt
        places.append(Prompt([START, *ids[at - prompt : at]], model.tokenizer.decode(ids[at : at + following])))
    return places


def corpus_bleu(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """Corpus BLEU, 1- to 4-grams, brevity penalty, in [0, 1]. `floor` at 0.1 is NLTK's smoothing method 1 (Chen & Cherry 2014)."""
    return float(sacrebleu.corpus_bleu(list(hypotheses), [list(references)], smooth_method="floor", smooth_value=0.1).score / 100)


def measure_bleu(
    model: LoadedModel, prompts: Sequence[Prompt], sampling: Sampling, *, batch: int, seed: int, say: Callable[[int, int], None]
) -> float:
    """BLEU of one completion a prompt; completion i draws from seed + i."""
    texts = []
    for at in range(0, len(prompts), batch):
        chunk = prompts[at : at + batch]
        texts += [c.text for c in generate(model, [p.ids for p in chunk], sampling, range(seed + at, seed + at + len(chunk)))]
        say(len(texts), len(prompts))
    return corpus_bleu(texts, [p.reference for p in prompts])
