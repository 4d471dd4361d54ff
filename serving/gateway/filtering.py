"""The content filter asked, and its decisions noted (SERVE-4)."""

from collections.abc import Callable
from dataclasses import asdict

import structlog

from serving.content_filter.decision import FilterDecision, Side, event
from serving.content_filter.filter import ContentFilter
from serving.gateway.refusals import RefusedField
from serving.refusal import Refused
from serving.telemetry.metrics import Metrics

log = structlog.get_logger("serving.gateway")


class Filtering:
    """Judges texts, by our own judges and then by the service, if one is set.

    Args:
        digest: keyed, of a text, for the log.
        attempts: completions drawn before a sample is refused.
    """

    def __init__(self, content_filter: ContentFilter, metrics: Metrics, digest: Callable[[str], str], attempts: int) -> None:
        self._filter, self._metrics, self._digest, self.attempts = content_filter, metrics, digest, attempts
        self.restricted = content_filter.restricted

    async def decide(self, text: str, side: Side, before: str = "", attempt: int = 1) -> FilterDecision:
        """What becomes of `text`; `before` is a completion's prompt."""
        decision = self._filter.check(text, side, before)
        if decision.allowed:
            asked = await self._filter.moderate(text, side)
            decision = asked if asked.rule or not decision.rule else decision
        self._metrics.filtered(side, decision.allowed, decision.rule)
        if told := event(decision, side, text, self._digest, attempt):
            log.info("content filter", **asdict(told))
        return decision


def prompt_refused(decision: FilterDecision) -> Refused:
    """What a reader is told of a prompt that may not be continued. Which rule it was helps those most who want around it."""
    return RefusedField("text", "it holds what is not continued here; put it in other words", code="content_refused")


def completion_refused() -> Refused:
    """What a reader is told if nothing that was written may be shown."""
    return Refused(422, "content_refused", "what was written may not be shown; try another seed or another text")
