"""The decisions of the content filter, their log records, and the next step for a completion.

A log record contains the rule and a keyed digest, never the text. The loop over completions is in the gateway.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Side = Literal["prompt", "completion"]


@dataclass(frozen=True, slots=True)
class Hit:
    """A match of one judge.

    Attributes:
        rule: `judge` or `judge.name`. It comes from a small fixed set and never contains text, so it may appear in logs and labels.
        category: the kind of text, such as `slur` or `personal_data`.
    """

    rule: str
    category: str


@dataclass(frozen=True, slots=True)
class FilterDecision:
    """The decision on a text.

    Attributes:
        allowed: True if the text passes.
        rule: rule of the hit that refused the text. For an allowed text: rule of a hit that is only logged, or empty without a hit.
        category: category of that hit.
    """

    allowed: bool
    rule: str = ""
    category: str = ""


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


def filter_event(decision: FilterDecision, side: Side, text: str, digest: Callable[[str], str], attempt: int = 1) -> FilterEvent | None:
    """Return the event of a decision, or None if the decision has no hit.

    Args:
        digest: a keyed hash, such as `Pseudonyms.text`.
    """
    if not decision.rule:
        return None
    return FilterEvent(side, decision.allowed, decision.rule, decision.category, digest(text), attempt)


Step = Literal["accept", "resample", "refuse"]


def next_step(decisions: Sequence[FilterDecision], attempts: int) -> Step:
    """Return the next step for one completion.

    Args:
        decisions: decisions on its attempts so far, oldest first.
        attempts: maximum number of attempts, at least 1.

    Raises:
        ValueError: `decisions` is empty, or `attempts` is less than 1.
    """
    if not decisions or attempts < 1:
        raise ValueError("decisions must not be empty, and attempts must be at least 1")
    if decisions[-1].allowed:
        return "accept"
    return "resample" if len(decisions) < attempts else "refuse"
