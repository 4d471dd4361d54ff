"""What a gateway is put together of; `assemble` has the real ones, tests bring their own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from starlette.routing import BaseRoute

from robo_poet.request_log.log import RequestLog
from robo_poet.settings.serve import ServeSettings
from serving.access.authentication import Access
from serving.access.rate_limiter import RateLimiter
from serving.content_filter.filter import ContentFilter
from serving.gateway.completion_id import CompletionIds
from serving.gateway.model_client import ModelClient
from serving.gateway.versions import Versions
from serving.telemetry.audit_log import AuditLog
from serving.telemetry.metrics import Metrics
from serving.telemetry.pseudonym import Pseudonyms


@dataclass(frozen=True)
class Parts:
    """One of each. The application closes those that have something to close.

    Attributes:
        closing: called at the end, each in a thread.
        page: routes of the playground; none without it.
    """

    settings: ServeSettings
    client: ModelClient
    versions: Versions
    access: Access
    limiter: RateLimiter
    content_filter: ContentFilter
    metrics: Metrics
    audit: AuditLog | None
    request_log: RequestLog
    pseudonyms: Pseudonyms
    ids: CompletionIds
    closing: Sequence[Callable[[], object]] = field(default=())
    page: Sequence[BaseRoute] = field(default=())
