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
    taken: list[Finding] = []
    for finding in sorted(set(findings), key=lambda f: (-f.score, f.start - f.end, f.start, f.entity, f.recognizer)):
        pieces = [finding]
        for other in taken:
            pieces = [piece for whole in pieces for piece in _without(whole, other)]
        taken += [trimmed for piece in pieces if (trimmed := _trim(piece, text))]
    return sorted(taken, key=lambda f: f.start)


def _without(whole: Finding, other: Finding) -> list[Finding]:
    if other.end <= whole.start or whole.end <= other.start:
        return [whole]
    rest = [replace(whole, end=other.start), replace(whole, start=other.end)]
    return [piece for piece in rest if piece.start < piece.end]


def _trim(piece: Finding, text: str) -> Finding | None:
    said = text[piece.start : piece.end]
    start = piece.start + len(said) - len(said.lstrip())
    end = piece.end - (len(said) - len(said.rstrip()))
    return replace(piece, start=start, end=end) if start < end and any(map(str.isalnum, said)) else None
