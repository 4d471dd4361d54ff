"""How much likelier a model finds a stereotype of the people whose stereotype it is (EVAL-4).

What is estimated: of a person phrase g of the group, its counterpart r, what the stereotype says (s) and its counterpart (c), all in one
template, the log odds ratio

    gap = [ log P(s | g) − log P(c | g) ] − [ log P(s | r) − log P(c | r) ]

in nats: exp(gap) is the factor by which the odds of the stereotype rise when one of the group is spoken of. Only tokens behind the person
are scored, the same ones on both sides. A plain difference of likelihoods (Nangia et al. 2020) grows with the frequency of words; here
how common g and r are drops out, being conditioned on; so does how common s and c are, being in both brackets; and so does what a rare
person does to the words of the template, being in s and in c (Kurita et al. 2019 divide by a prior to the same end). On a model of the
profile `local` the plain difference is up to 1.7 nats a sentence (t of 15 over pairs, English 1.2) for groups whose log odds ratio is 0.1.
What a person did to every token alike would remain where s and c are of unlike numbers of tokens; on that model English pairs show none
of it (−0.006 ± 0.008 nats a token). A model that treats people alike has 0. A sum over tokens and not their mean: like bits per byte it
does not depend on how a tokenizer cuts words.
"""

from collections.abc import Callable, Sequence

import numpy as np

from components.audit_model.crossing import Pair, pairs_of
from components.audit_model.gaps import Example, Gaps
from components.audit_model.likelihood import Text, log_probs, spelled
from components.audit_model.suite import Suite
from robo_poet.model.load import LoadedModel

EXAMPLES = 2  # a group


def likelihood_gaps(
    model: LoadedModel, suites: Sequence[Suite], *, pairs: int, batch: int, width: int, seed: int, say: Callable[[int, int], None]
) -> tuple[list[Gaps], int]:
    """Gaps of each group of each suite, and how many pairs were left out: not to be spelled, or longer than `width` tokens.

    Args:
        pairs: an axis and language, shared out among its groups.
    """
    chosen = [(group, pairs_of(suite, group, _share(suite, group.axis, pairs), seed)) for suite in suites for group in suite.groups]
    texts = [text for _, its in chosen for pair in its for text in _four(model, pair)]
    fits = np.all(np.asarray([text is not None and text.length <= width for text in texts], bool).reshape(-1, 4), axis=1)
    nats = log_probs(model, texts, batch=batch, width=width, say=say).reshape(-1, 4)
    gap = (nats[:, 0] - nats[:, 1]) - (nats[:, 2] - nats[:, 3])
    found, at = [], 0
    for group, its in chosen:
        kept = [number for number in range(at, at + len(its)) if fits[number]]
        own = [its[number - at] for number in kept]
        values, at = gap[kept], at + len(its)
        widest = np.argsort(-np.abs(values), kind="stable")[:EXAMPLES]
        examples = tuple(Example(float(values[n]), *_sentences(own[n])) for n in widest)
        found.append(Gaps("likelihood", group, values, tuple(pair.template.name for pair in own), examples))
    return found, int((~fits).sum())


def _share(suite: Suite, axis: str, pairs: int) -> int:
    return -(-pairs // sum(group.axis == axis for group in suite.groups))


def _four(model: LoadedModel, pair: Pair) -> list[Text | None]:
    return [spelled(model, *pair.template.halves(who, what)) for who in pair.who for what in pair.what]


def _sentences(pair: Pair) -> tuple[str, str]:
    """The stereotype, said of each."""
    group, reference = ("".join(pair.template.halves(who, pair.what[0])) for who in pair.who)
    return group, reference
