"""The equity suite: original sentence templates, combined with published person words, read from `suite/<language>/*.toml`.

Method: Nangia et al. 2020 (CrowS-Pairs), Kurita et al. 2019, Nadeem et al. 2021 (StereoSet). Each data file cites the sources of its
words. This module does not use a model.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "suite"
AXES = ("gender", "origin", "religion", "age", "orientation", "disability")
WHO, WHAT = "{who}", "{what}"


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

    def halves(self, who: str, what: str = "") -> tuple[str, str]:
        """Return the sentence up to and including `who`, and the rest, which is the same for every person."""
        before, after = self.text.split(WHO)
        context = before + who
        return context[0].upper() + context[1:], after.replace(WHAT, what)


@dataclass(frozen=True)
class Group:
    """A group of people on an axis, with the reference group it is compared with.

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
