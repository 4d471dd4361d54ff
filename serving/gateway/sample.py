"""One text of an answer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from robo_poet.model.completion import Completion, whole
from serving.gateway.plain_text import without_controls

REFUSED = "refused"


@dataclass(frozen=True)
class Sample:
    """What was written, as the reader gets it.

    Attributes:
        text: whole characters, without controls; empty where the content filter refused it.
        written: as the model gave it; empty too then.
        finish: why it ended: length, end, stop, context, refused.
        rule: of the content filter, where it refused.
    """

    text: str
    written: Completion
    finish: str
    rule: str = ""


def sample_of(written: Completion) -> Sample:
    """A completion that may be shown."""
    return Sample(without_controls(whole(written.text)), written, written.reason.name.lower())


def refused_sample(written: Completion, rule: str) -> Sample:
    """A completion that may not."""
    return Sample("", Completion("", [], [], written.reason), REFUSED, rule)


def perplexity(log_probs: Sequence[float]) -> float | None:
    """exp of the mean negative log-likelihood (MON-3); None of no token."""
    return math.exp(min(700.0, -sum(log_probs) / len(log_probs))) if log_probs else None
