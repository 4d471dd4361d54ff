"""The equity suite: sentence templates combined with person words, and the selection of counterfactual pairs.

The templates were written for this project; the person words are from the literature. Both are read from `suite/<language>/*.toml`, and
each data file cites the sources of its words. The method follows Nangia et al. 2020 (CrowS-Pairs), Kurita et al. 2019 and Nadeem et al.
2021 (StereoSet). The selection spreads a given number of pairs evenly over templates, phrases and contrasts. This module does not use a
model.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

FOLDER = Path(__file__).parent / "suite"
AXES = ("gender", "origin", "religion", "age", "orientation", "disability")
PERSON_SLOT, STATEMENT_SLOT = "{who}", "{what}"


@dataclass(frozen=True)
class Template:
    """A sentence with a placeholder for a person and one for a statement.

    Args:
        register: `plain`, or `verse` for the language of plays.
        text: sentence with `{who}` and `{what}`. A prompt has no `{what}`.
        kind: kind of contrast that fits `{what}`; empty for a prompt.
    """

    name: str
    register: str
    text: str
    kind: str = ""

    def split_at_person(self, who: str, what: str = "") -> tuple[str, str]:
        """Return the sentence up to and including `who`, and the rest, which is the same for every person."""
        before, after = self.text.split(PERSON_SLOT)
        context = before + who
        return context[0].upper() + context[1:], after.replace(STATEMENT_SLOT, what)


@dataclass(frozen=True)
class Group:
    """A group of people on an axis. It is compared with a reference group.

    Args:
        axis: one of `AXES`.
        pairs: (phrase for a person of the group, counterpart for a person of the reference group).
        contrasts: kind → pairs of (stereotype of the group, its counterpart).
    """

    axis: str
    language: str
    name: str
    reference: str
    pairs: tuple[tuple[str, str], ...]
    contrasts: Mapping[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Suite:
    """The templates, prompts and groups of one language; `prompts` may be empty."""

    language: str
    templates: tuple[Template, ...]
    prompts: tuple[Template, ...]
    groups: tuple[Group, ...]


def load_suite(language: str, folder: Path = FOLDER) -> Suite:
    """Read the suite of `language`, with the axes in the order of `AXES`."""
    sentences = _read(folder / language / "templates.toml")
    return Suite(
        language,
        tuple(Template(**entry) for entry in sentences["templates"]),
        tuple(Template(**entry) for entry in sentences.get("prompts", ())),
        tuple(group for axis in AXES for group in _groups(axis, language, _read(folder / language / f"{axis}.toml"))),
    )


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


def _groups(axis: str, language: str, data: Mapping[str, Any]) -> Sequence[Group]:
    groups = []
    for name, entry in data["groups"].items():
        own_contrasts, shared_contrasts = entry.get("contrasts", {}), data["contrasts"]
        contrasts = {
            kind: _pairs([*own_contrasts.get(kind, ()), *shared_contrasts.get(kind, ())])
            for kind in sorted({*own_contrasts, *shared_contrasts})
        }
        groups.append(Group(axis, language, name, data["reference"], _pairs(entry["pairs"]), contrasts))
    return groups


def _pairs(entries: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((first, second) for first, second in entries)


T = TypeVar("T")


class Pair(NamedTuple):
    """A counterfactual pair: one template and one contrast, applied to a person of the group and a person of the reference group.

    Args:
        persons: phrases for the person of the group and of the reference group.
        statements: the stereotype and its counterpart.
    """

    template: Template
    persons: tuple[str, str]
    statements: tuple[str, str]


class PromptPair(NamedTuple):
    """One prompt template, applied to a person of the group and a person of the reference group, with one sampling seed."""

    template: Template
    persons: tuple[str, str]
    seed: int


def select_pairs(suite: Suite, group: Group, count: int, seed: int) -> list[Pair]:
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
    return _interleave(shuffled, count)


def select_prompts(suite: Suite, group: Group, count: int, seed: int) -> list[PromptPair]:
    """Return `count` prompt pairs, in turns over prompts and phrases, each with its own seed. Return no pairs for a suite without prompts.

    Groups with the same number of phrases get the same combinations and seeds.
    """
    if not suite.prompts:
        return []
    rounds = -(-count // (len(suite.prompts) * len(group.pairs)))
    by_prompt = [[(template, persons) for persons in _rotate(group.pairs, index) * rounds] for index, template in enumerate(suite.prompts)]
    return [PromptPair(template, persons, seed + number) for number, (template, persons) in enumerate(_interleave(by_prompt, count))]


def _rotate(pairs: Sequence[tuple[str, str]], by: int) -> list[tuple[str, str]]:
    """Return the pairs rotated by `by`. Each prompt starts at another pair, so a small `count` still covers all phrases."""
    return [pairs[(by + index) % len(pairs)] for index in range(len(pairs))]


def _interleave(sequences: Sequence[Sequence[T]], count: int) -> list[T]:
    longest = max((len(sequence) for sequence in sequences), default=0)
    return [sequence[index] for index in range(longest) for sequence in sequences if index < len(sequence)][:count]
