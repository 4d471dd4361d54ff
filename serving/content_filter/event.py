"""The log record of a decision. It holds the rule and a keyed digest, never the text."""

from collections.abc import Callable
from dataclasses import dataclass

from serving.content_filter.decision import Decision, Side


@dataclass(frozen=True, slots=True)
class FilterEvent:
    """The record of a decision with a hit.

    Attributes:
        side: `prompt` or `completion`.
        allowed: True if the text passed and the hit was only logged.
        rule, category: rule and category of the hit.
        digest: keyed digest of the text. It equals the digest in the audit log, so that the two logs can be joined.
        attempt: number of the completion within its request, from 1.
    """

    side: Side
    allowed: bool
    rule: str
    category: str
    digest: str
    attempt: int = 1


def event(decision: Decision, side: Side, text: str, digest: Callable[[str], str], attempt: int = 1) -> FilterEvent | None:
    """Return the event of a decision, or None if the decision has no hit.

    Args:
        digest: a keyed hash, such as `Pseudonyms.text`.
    """
    if not decision.rule:
        return None
    return FilterEvent(side, decision.allowed, decision.rule, decision.category, digest(text), attempt)
