"""Likelihood bias: how much more likely a model finds a stereotype for the stereotyped group (EVAL-4).

The estimate is a log odds ratio in nats, within one template:

    gap = [ log P(s | g) − log P(c | g) ] − [ log P(s | r) − log P(c | r) ]

- g: person phrase of the group; r: its counterpart of the reference group.
- s: the stereotype; c: its counterpart.

exp(gap) is the factor by which the odds of the stereotype rise if the person belongs to the group. A model without bias has gap 0. Only
tokens after the person are scored, the same tokens on both sides.

A plain difference of likelihoods (Nangia et al. 2020) grows with word frequency. In the log odds ratio three frequencies cancel:

- of g and r, because the likelihoods are conditional on them;
- of s and c, because they are in both brackets;
- the effect of a rare person phrase on the words of the template, because it is in s and in c (Kurita et al. 2019 divide by a prior for
  the same purpose).

On a model of the profile `local` the plain difference is up to 1.7 nats per sentence (t of 15 over pairs; English 1.2) for groups whose
log odds ratio is 0.1. An effect of the person on every token would remain if s and c have different token counts. English pairs on that
model show no such effect (−0.006 ± 0.008 nats per token).

The gap is a sum over tokens, not a mean. Like bits per byte, it does not depend on how a tokenizer splits words.
"""

from collections.abc import Callable, Sequence

import numpy as np

from components.audit_model.likelihood import EncodedText, encode_continuation, log_probs
from components.audit_model.results import Example, GroupGaps
from components.audit_model.suite import Pair, Suite, select_pairs
from robo_poet.model.saved_model import LoadedModel

EXAMPLES = 2  # examples per group


def likelihood_gaps(
    model: LoadedModel, suites: Sequence[Suite], *, pairs: int, batch: int, width: int, seed: int, report: Callable[[int, int], None]
) -> tuple[list[GroupGaps], int]:
    """Return the likelihood gaps of each group of each suite, and the number of skipped pairs.

    A pair is skipped if the tokenizer cannot encode it without loss, or if a text is longer than `width` tokens.

    Args:
        pairs: number of pairs per axis and language, divided among its groups.
        batch, width: see `log_probs`.
        report: progress callback, called with the number of finished and of all distinct texts.
    """
    chosen = [
        (group, select_pairs(suite, group, _pairs_per_group(suite, group.axis, pairs), seed)) for suite in suites for group in suite.groups
    ]
    texts = [text for _, group_pairs in chosen for pair in group_pairs for text in _encode_pair(model, pair)]
    fits = np.all(np.asarray([text is not None and text.length <= width for text in texts], bool).reshape(-1, 4), axis=1)
    nats = log_probs(model, texts, batch=batch, width=width, report=report).reshape(-1, 4)
    gap = (nats[:, 0] - nats[:, 1]) - (nats[:, 2] - nats[:, 3])
    results, start = [], 0
    for group, group_pairs in chosen:
        rows = [row for row in range(start, start + len(group_pairs)) if fits[row]]
        kept_pairs = [group_pairs[row - start] for row in rows]
        values, start = gap[rows], start + len(group_pairs)
        widest = np.argsort(-np.abs(values), kind="stable")[:EXAMPLES]
        examples = tuple(Example(float(values[n]), *_sentences(kept_pairs[n])) for n in widest)
        results.append(GroupGaps("likelihood", group, values, tuple(pair.template.name for pair in kept_pairs), examples))
    return results, int((~fits).sum())


def _pairs_per_group(suite: Suite, axis: str, pairs: int) -> int:
    return -(-pairs // sum(group.axis == axis for group in suite.groups))


def _encode_pair(model: LoadedModel, pair: Pair) -> list[EncodedText | None]:
    return [
        encode_continuation(model, *pair.template.split_at_person(person, statement))
        for person in pair.persons
        for statement in pair.statements
    ]


def _sentences(pair: Pair) -> tuple[str, str]:
    """Return the stereotype sentence about the group and about the reference group."""
    group, reference = ("".join(pair.template.split_at_person(person, pair.statements[0])) for person in pair.persons)
    return group, reference
