"""A decision as it may be logged: its rule and a keyed digest, never the text."""

from collections.abc import Callable
from dataclasses import dataclass

from serving.content_filter.decision import Decision, Side


@dataclass(frozen=True, slots=True)
class FilterEvent:
    """One decision that hit.

    Attributes:
        allowed: the text passed, the hit was only logged.
        digest: of the text, keyed; the audit log's own, so that the two can be joined.
        attempt: which completion of one request it was, from 1.
    """

    side: Side
    allowed: bool
    rule: str
    category: str
    digest: str
    attempt: int = 1


def event(decision: Decision, side: Side, text: str, digest: Callable[[str], str], attempt: int = 1) -> FilterEvent | None:
    """The event of a decision; none where nothing was hit.

    Args:
        digest: a keyed hash, such as `Pseudonyms.text`.
    """
    if not decision.rule:
        return None
    return FilterEvent(side, decision.allowed, decision.rule, decision.category, digest(text), attempt)
