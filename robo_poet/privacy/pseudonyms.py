"""Numbered placeholders: equal values of a document get the same one, such as `<PERSON_1>` (DATA-3)."""

import re
from collections.abc import Sequence

from robo_poet.privacy.findings import Finding

PERSON = "PERSON"
_POSSESSIVE = re.compile(r"['’]s$")  # *Marta's* is *Marta*
_SEPARATORS = re.compile(r"[\W_]+")


def with_pseudonyms(text: str, findings: Sequence[Finding]) -> str:
    """Replace each finding by a numbered placeholder. Numbers follow the first occurrence in the text.

    - Values are equal if they differ only in case, spaces and punctuation.
    - A single name (*Marta*) is the person whose full name has it (*Marta Quill*), if only one has.
    - A number has no meaning outside its document, so it does not link documents.

    Presidio's anonymizer is not used, because it joins neighbouring findings of one entity, which may be two persons.

    Args:
        findings: disjoint, in text order.
    """
    numbers = _numbers([(finding.entity, _key(text[finding.start : finding.end])) for finding in findings])
    parts, end = list[str](), 0
    for finding, number in zip(findings, numbers, strict=True):
        parts += [text[end : finding.start], f"<{finding.entity}_{number}>"]
        end = finding.end
    return "".join(parts) + text[end:]


def _numbers(keys: Sequence[tuple[str, str]]) -> list[int]:
    """Return the number of each (entity, value)."""
    full_names = {name for entity, name in keys if entity == PERSON and " " in name}
    bearers: dict[str, set[str]] = {}
    for full in full_names:
        for name in full.split():
            bearers.setdefault(name, set()).add(full)
    assigned: dict[tuple[str, str], int] = {}
    counts: dict[str, int] = {}
    numbers = []
    for entity, name in keys:
        known = bearers.get(name, set()) if entity == PERSON else set()
        owner = next(iter(known)) if len(known) == 1 else name
        if (entity, owner) not in assigned:
            counts[entity] = assigned[entity, owner] = counts.get(entity, 0) + 1
        numbers.append(assigned[entity, owner])
    return numbers


def _key(value: str) -> str:
    return _SEPARATORS.sub(" ", _POSSESSIVE.sub("", value)).strip().casefold()
