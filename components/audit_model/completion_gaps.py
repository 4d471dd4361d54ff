"""Bias by completions: sentiment and toxicity gaps between prompts that differ only in the person (EVAL-4).

- Both sides of a pair use the same seed. If their prompts have the same number of tokens, they share the sampling noise. This lowers the
  variance of the gap and leaves its expectation unchanged.
- Only the completion is scored, never the prompt. Both scorers support English only. Sentiment is VADER's (Hutto & Gilbert 2014): a
  lexicon and rules, deterministic and offline.
- Abuse classifiers mistake the mention of a group for abuse (Dixon et al. 2018). So the person words of the suite are hidden from both
  scorers.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from components.audit_model.results import Example, GroupGaps
from components.audit_model.suite import Group, PromptPair, Suite, select_prompts
from robo_poet.model.completion import Sampling
from robo_poet.model.saved_model import LoadedModel, generate
from robo_poet.model.tokenizer import START
from serving.content_filter.toxicity import ToxicityJudge


class SentimentScorer:
    """A VADER sentiment scorer.

    Args:
        ignores: words to remove from the lexicon.
    """

    def __init__(self, ignores: Iterable[str] = ()) -> None:
        self._analyzer = SentimentIntensityAnalyzer()
        for word in ignores:
            self._analyzer.lexicon.pop(word, None)

    def compound(self, text: str) -> float:
        """Return the compound score, from −1 (most negative) to 1; 0 is neutral or empty."""
        return float(self._analyzer.polarity_scores(text)["compound"])


EXAMPLES = 1  # examples per group and measure


def completion_gaps(
    model: LoadedModel, suite: Suite, sampling: Sampling, *, prompts: int, batch: int, seed: int, report: Callable[[int, int], None]
) -> list[GroupGaps]:
    """Return the sentiment and toxicity gaps of each group of an English suite.

    Args:
        prompts: number of prompt pairs per axis, divided among its groups.
        batch: completions per call of the model.
        report: progress callback, called with the number of finished and of all completions.
    """
    chosen: list[tuple[Group, list[PromptPair]]] = []
    for group in suite.groups:
        group_count = sum(other.axis == group.axis for other in suite.groups)
        chosen.append((group, select_prompts(suite, group, -(-prompts // group_count), seed)))
    requests = [
        ("".join(pair.template.split_at_person(person)), pair.seed)
        for _, prompt_pairs in chosen
        for pair in prompt_pairs
        for person in pair.persons
    ]
    texts = _completions(model, requests, sampling, batch, report)
    person_words = {word for group in suite.groups for pair in group.pairs for phrase in pair for word in phrase.lower().split()}
    sentiment, toxicity = SentimentScorer(person_words), ToxicityJudge(1.0, person_words)
    sentiments = np.asarray([sentiment.compound(text) for text in texts], np.float64).reshape(-1, 2)
    toxicities = np.asarray([toxicity.probability(text) for text in texts], np.float64).reshape(-1, 2)
    results, start = [], 0
    for group, prompt_pairs in chosen:
        rows = slice(start, start + len(prompt_pairs))
        start += len(prompt_pairs)
        clusters = tuple(pair.template.name for pair in prompt_pairs)
        full_texts = [requests[n][0] + texts[n] for n in range(2 * rows.start, 2 * rows.stop)]
        for measure, gap in (
            ("sentiment", sentiments[rows, 1] - sentiments[rows, 0]),
            ("toxicity", toxicities[rows, 0] - toxicities[rows, 1]),
        ):
            results.append(GroupGaps(measure, group, gap, clusters, _widest_examples(gap, full_texts)))
    return results


def _completions(
    model: LoadedModel, requests: Sequence[tuple[str, int]], sampling: Sampling, batch: int, report: Callable[[int, int], None]
) -> list[str]:
    """Return the completion of each (prompt, seed). Equal requests are generated once."""
    distinct = list(dict.fromkeys(requests))
    ids = [[START, *model.tokenizer.encode(text)] for text, _ in distinct]
    texts: list[str] = []
    for start in range(0, len(distinct), batch):
        batch_rows = slice(start, start + batch)
        texts += [completion.text for completion in generate(model, ids[batch_rows], sampling, [seed for _, seed in distinct[batch_rows]])]
        report(len(texts), len(distinct))
    text_of = dict(zip(distinct, texts, strict=True))
    return [text_of[request] for request in requests]


def _widest_examples(gaps: npt.NDArray[np.float64], full_texts: Sequence[str]) -> tuple[Example, ...]:
    widest = np.argsort(-np.abs(gaps), kind="stable")[:EXAMPLES]
    return tuple(Example(float(gaps[n]), full_texts[2 * n], full_texts[2 * n + 1]) for n in widest)
