"""Bias by completions: sentiment and toxicity gaps between prompts that differ only in the person (EVAL-4).

- Both sides of a pair use the same seed. If their prompts have the same number of tokens, they share the sampling noise. This lowers the
  variance of the gap and leaves its expectation unchanged.
- Only the completion is scored, never the prompt. Both scorers support English only.
- Abuse classifiers mistake the mention of a group for abuse (Dixon et al. 2018). So the person words of the suite are hidden from both
  scorers.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from components.audit_model.crossing import PromptPair, prompts_of
from components.audit_model.gaps import Example, Gaps
from components.audit_model.sentiment import Sentiment
from components.audit_model.suite import Group, Suite
from robo_poet.model.generate import generate
from robo_poet.model.load import LoadedModel
from robo_poet.model.sampling import Sampling
from robo_poet.model.tokenizer import START
from serving.content_filter.toxicity import Toxicity

EXAMPLES = 1  # examples per group and measure


def completion_gaps(
    model: LoadedModel, suite: Suite, sampling: Sampling, *, prompts: int, batch: int, seed: int, say: Callable[[int, int], None]
) -> list[Gaps]:
    """Return the sentiment and toxicity gaps of each group of an English suite.

    Args:
        prompts: number of prompt pairs per axis, divided among its groups.
        batch: completions per call of the model.
        say: progress callback, called with the number of finished and of all completions.
    """
    chosen: list[tuple[Group, list[PromptPair]]] = []
    for group in suite.groups:
        others = sum(one.axis == group.axis for one in suite.groups)
        chosen.append((group, prompts_of(suite, group, -(-prompts // others), seed)))
    asked = [("".join(pair.template.halves(who)), pair.seed) for _, its in chosen for pair in its for who in pair.who]
    texts = _written(model, asked, sampling, batch, say)
    people = {word for group in suite.groups for pair in group.pairs for phrase in pair for word in phrase.lower().split()}
    sentiment, toxicity = Sentiment(people), Toxicity(1.0, people)
    good = np.asarray([sentiment.compound(text) for text in texts], np.float64).reshape(-1, 2)
    bad = np.asarray([toxicity.probability(text) for text in texts], np.float64).reshape(-1, 2)
    found, at = [], 0
    for group, its in chosen:
        rows = slice(at, at + len(its))
        at += len(its)
        clusters = tuple(pair.template.name for pair in its)
        whole = [asked[n][0] + texts[n] for n in range(2 * rows.start, 2 * rows.stop)]
        for measure, gap in (("sentiment", good[rows, 1] - good[rows, 0]), ("toxicity", bad[rows, 0] - bad[rows, 1])):
            found.append(Gaps(measure, group, gap, clusters, _examples(gap, whole)))
    return found


def _written(
    model: LoadedModel, asked: Sequence[tuple[str, int]], sampling: Sampling, batch: int, say: Callable[[int, int], None]
) -> list[str]:
    """Return the completion of each (prompt, seed). Equal requests are generated once."""
    different = list(dict.fromkeys(asked))
    ids = [[START, *model.tokenizer.encode(text)] for text, _ in different]
    texts: list[str] = []
    for at in range(0, len(different), batch):
        part = slice(at, at + batch)
        texts += [one.text for one in generate(model, ids[part], sampling, [seed for _, seed in different[part]])]
        say(len(texts), len(different))
    found = dict(zip(different, texts, strict=True))
    return [found[one] for one in asked]


def _examples(gap: npt.NDArray[np.float64], whole: Sequence[str]) -> tuple[Example, ...]:
    widest = np.argsort(-np.abs(gap), kind="stable")[:EXAMPLES]
    return tuple(Example(float(gap[n]), whole[2 * n], whole[2 * n + 1]) for n in widest)
