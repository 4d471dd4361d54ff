"""A finding of personal data: position, kind and recogniser, never the text."""

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Finding:
    """Personal data in the characters `start` to `end` of a text, before any replacement."""

    entity: str
    start: int
    end: int
    score: float
    recognizer: str


def resolve(findings: Iterable[Finding], text: str) -> list[Finding]:
    """Make findings disjoint. The higher score wins, then the longer finding. The rest of an overlapped finding is kept as a finding.

    So each character that any recogniser found is replaced exactly once.

    Returns:
        Findings in text order, none empty or blank.
    """
    kept: list[Finding] = []
    for finding in sorted(set(findings), key=lambda f: (-f.score, f.start - f.end, f.start, f.entity, f.recognizer)):
        pieces = [finding]
        for other in kept:
            pieces = [piece for remaining in pieces for piece in _without(remaining, other)]
        kept += [trimmed for piece in pieces if (trimmed := _trim(piece, text))]
    return sorted(kept, key=lambda f: f.start)


def _without(finding: Finding, other: Finding) -> list[Finding]:
    if other.end <= finding.start or finding.end <= other.start:
        return [finding]
    rest = [replace(finding, end=other.start), replace(finding, start=other.end)]
    return [piece for piece in rest if piece.start < piece.end]


def _trim(piece: Finding, text: str) -> Finding | None:
    content = text[piece.start : piece.end]
    start = piece.start + len(content) - len(content.lstrip())
    end = piece.end - (len(content) - len(content.rstrip()))
    return replace(piece, start=start, end=end) if start < end and any(map(str.isalnum, content)) else None
