"""Which of all combinations are measured: as many as asked for, spread evenly over templates, phrases and contrasts."""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple, TypeVar

import numpy as np

from components.audit_model.suite import Group, Suite, Template

T = TypeVar("T")


class Pair(NamedTuple):
    """A counterfactual pair: one template and one contrast, said of one of the group and of one of the reference group."""

    template: Template
    who: tuple[str, str]
    what: tuple[str, str]


class PromptPair(NamedTuple):
    """One opening, once with each of two people, drawn from the same seed."""

    template: Template
    who: tuple[str, str]
    seed: int


def pairs_of(suite: Suite, group: Group, count: int, seed: int) -> list[Pair]:
    """At most `count` pairs of a group, in a seeded choice without repetition; the same places for all groups of one shape, whose
    reference sentences are then the same and are scored once."""
    each = [
        [Pair(template, who, what) for who, what in product(group.pairs, group.contrasts.get(template.kind, ()))]
        for template in suite.templates
    ]  # fmt: skip
    random = np.random.default_rng(seed)
    shuffled = [[pairs[number] for number in random.permutation(len(pairs))] for pairs in each]
    return _in_turns(shuffled, count)


def prompts_of(suite: Suite, group: Group, count: int, seed: int) -> list[PromptPair]:
    """`count` pairs of openings, in turns over openings and phrases, each with a seed of its own; groups of one shape share them."""
    if not suite.prompts:
        return []
    rounds = -(-count // (len(suite.prompts) * len(group.pairs)))
    each = [[(one, who) for who in _rotated(group.pairs, place) * rounds] for place, one in enumerate(suite.prompts)]
    return [PromptPair(one, who, seed + number) for number, (one, who) in enumerate(_in_turns(each, count))]


def _rotated(pairs: Sequence[tuple[str, str]], by: int) -> list[tuple[str, str]]:
    """Begins elsewhere for each opening, so that a small `count` takes in all phrases."""
    return [pairs[(by + number) % len(pairs)] for number in range(len(pairs))]


def _in_turns(each: Sequence[Sequence[T]], count: int) -> list[T]:
    longest = max((len(one) for one in each), default=0)
    return [one[place] for place in range(longest) for one in each if place < len(one)][:count]
