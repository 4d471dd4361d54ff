"""Selection of counterfactual pairs from a suite: a given number, spread evenly over templates, phrases and contrasts."""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple, TypeVar

import numpy as np

from components.audit_model.suite import Group, Suite, Template

T = TypeVar("T")


class Pair(NamedTuple):
    """A counterfactual pair: one template and one contrast, applied to a person of the group and a person of the reference group.

    Args:
        who: phrases for the person of the group and of the reference group.
        what: the stereotype and its counterpart.
    """

    template: Template
    who: tuple[str, str]
    what: tuple[str, str]


class PromptPair(NamedTuple):
    """One prompt template, applied to a person of the group and a person of the reference group, with one sampling seed."""

    template: Template
    who: tuple[str, str]
    seed: int


def pairs_of(suite: Suite, group: Group, count: int, seed: int) -> list[Pair]:
    """Draw at most `count` pairs of a group without replacement.

    Groups with the same number of phrases and contrasts get the same combinations. Their reference sentences are then equal and are
    scored once.
    """
    by_template = [
        [Pair(template, persons, statements) for persons, statements in product(group.pairs, group.contrasts.get(template.kind, ()))]
        for template in suite.templates
    ]  # fmt: skip
    generator = np.random.default_rng(seed)
    shuffled = [[pairs[index] for index in generator.permutation(len(pairs))] for pairs in by_template]
    return _in_turns(shuffled, count)


def prompts_of(suite: Suite, group: Group, count: int, seed: int) -> list[PromptPair]:
    """Return `count` prompt pairs, in turns over prompts and phrases, each with its own seed. Return no pairs for a suite without prompts.

    Groups with the same number of phrases get the same combinations and seeds.
    """
    if not suite.prompts:
        return []
    rounds = -(-count // (len(suite.prompts) * len(group.pairs)))
    by_prompt = [[(template, persons) for persons in _rotated(group.pairs, index) * rounds] for index, template in enumerate(suite.prompts)]
    return [PromptPair(template, persons, seed + number) for number, (template, persons) in enumerate(_in_turns(by_prompt, count))]


def _rotated(pairs: Sequence[tuple[str, str]], by: int) -> list[tuple[str, str]]:
    """Return the pairs rotated by `by`. Each prompt starts at another pair, so a small `count` still covers all phrases."""
    return [pairs[(by + index) % len(pairs)] for index in range(len(pairs))]


def _in_turns(sequences: Sequence[Sequence[T]], count: int) -> list[T]:
    longest = max((len(sequence) for sequence in sequences), default=0)
    return [sequence[index] for index in range(longest) for sequence in sequences if index < len(sequence)][:count]
