"""The parts of a gateway, and their construction from the settings. Tests pass other parts."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from starlette.routing import BaseRoute

from robo_poet.local_folder import is_bucket
from robo_poet.model_server import client_context
from robo_poet.outcomes.log import OutcomeLog
from robo_poet.permissions import check_private, check_unchangeable, warnings
from robo_poet.registry.registry import Registry
from robo_poet.registry.trust.trust import Trust
from robo_poet.request_log.log import RequestLog
from robo_poet.settings.serve import ServeSettings
from serving.access.authentication import Authenticator
from serving.access.rate_limiter import RateLimiter
from serving.content_filter.filter import ContentFilter
from serving.gateway.backend.arms import CompletionIds
from serving.gateway.backend.model_client import ModelClient
from serving.gateway.backend.prompt_score import PromptScore
from serving.gateway.backend.shadow_score import ShadowScores
from serving.gateway.backend.versions import ServedVersions
from serving.gateway.connection.table import ConnectionTable
from serving.gateway.http.exchange import networks
from serving.playground.page import routes
from serving.telemetry.audit_log import AuditLog
from serving.telemetry.metrics import Metrics
from serving.telemetry.pseudonym import Pseudonyms, read_or_create_key


@dataclass(frozen=True)
class Parts:
    """The objects that the application is made from. The application closes them at shutdown.

    Attributes:
        closing: functions called at shutdown, each in a thread.
        page: routes of the playground; empty if the playground is off.
    """

    settings: ServeSettings
    client: ModelClient
    versions: ServedVersions
    access: Authenticator
    limiter: RateLimiter
    content_filter: ContentFilter
    metrics: Metrics
    audit: AuditLog | None
    request_log: RequestLog
    outcomes: OutcomeLog
    shadow: ShadowScores
    pseudonyms: Pseudonyms
    ids: CompletionIds
    connections: ConnectionTable
    closing: Sequence[Callable[[], object]] = field(default=())
    page: Sequence[BaseRoute] = field(default=())


log = logging.getLogger("serving.gateway")


def assemble(settings: ServeSettings) -> Parts:
    """Build the parts from the settings.

    Files in `settings.folder`: `keys/`, `audit/`, `requests/`, `outcomes/`, `pseudonyms.key`, `completions.key`.

    Raises:
        BadInput: a setting, a key file or a folder cannot be used.
    """
    folder = Path(settings.folder)
    _check_permissions(settings)
    metrics = Metrics(settings.telemetry, model=settings.model)
    pseudonyms = Pseudonyms(read_or_create_key(folder / "pseudonyms.key"))
    client = ModelClient(settings.model_server, settings.model, settings.model_rows, client_context(settings))
    content_filter = ContentFilter(settings.content_filter)
    versions = ServedVersions(
        Registry(settings.registry, settings.model, Trust(settings.trusted_keys)), client, restricted=content_filter.restricted,
        seen=metrics.serving, loaded=lambda number, good: metrics.model_loaded(number, "ok" if good else "failed"),
    )  # fmt: skip
    client.lost = versions.model_server_lost
    score = PromptScore(
        client, versions,
        lambda version, arm, nats, tokens: metrics.scored("prompt", version=version, arm=arm, nats=nats, tokens=tokens),
    )  # fmt: skip
    request_log = RequestLog(folder / "requests", settings.request_log, score)
    outcomes = OutcomeLog(folder / "outcomes" / settings.model, settings.outcomes)
    shadow = ShadowScores(client, versions, settings.outcomes.shadow_share, outcomes.note)
    audit = None
    if settings.telemetry.audit:
        audit = AuditLog(folder / "audit", pseudonyms, settings.telemetry, model=settings.model, say=log.warning)
    connections = ConnectionTable(settings.connections, settings.connections_per_address, networks(settings.trusted_proxies))
    watch_parts(metrics, request_log, outcomes, shadow, connections, audit)
    return Parts(
        settings=settings, client=client, versions=versions, access=Authenticator(settings.access, folder / "keys", log.warning),
        limiter=RateLimiter(settings.access, log.warning), content_filter=content_filter, metrics=metrics, audit=audit,
        request_log=request_log, outcomes=outcomes, shadow=shadow, pseudonyms=pseudonyms,
        connections=connections,
        ids=CompletionIds(read_or_create_key(folder / "completions.key"), settings.model, settings.feedback_days),
        closing=[request_log.close, outcomes.close, *([audit.close] if audit else [])],
        page=routes() if settings.playground else (),
    )  # fmt: skip


def watch_parts(
    metrics: Metrics, request_log: RequestLog, outcomes: OutcomeLog, shadow: ShadowScores, connections: ConnectionTable,
    audit: AuditLog | None,
) -> None:  # fmt: skip
    """Report the running totals and queues of these parts."""
    metrics.watch_counts("request_log_records", "Records of the request log, by outcome.", lambda: request_log.counts)
    metrics.watch_value("request_log_waiting", "Records of the request log that are queued for writing.", lambda: request_log.waiting)
    metrics.watch_counts("outcomes", "Outcomes of requests for the judge of a canary, by result.", lambda: outcomes.counts)
    metrics.watch_counts("shadow_scores", "Prompts that canary and champion scored, by result.", lambda: shadow.counts)
    metrics.watch_counts(
        "connections", "Client connections: opened, refused, or ended to make room for others.", lambda: connections.counts
    )
    metrics.watch_value("connections_open", "Open client connections.", lambda: len(connections))
    if audit is not None:
        metrics.watch_counts("audit_lines", "Lines of the audit log, by outcome.", lambda: audit.counts)
        removed = "Bytes of the audit log that were removed because its folder was full, by kind."
        metrics.watch_counts("audit_removed_bytes", removed, lambda: audit.removed)


def _check_permissions(settings: ServeSettings) -> None:
    """Check who else can read or change what the gateway trusts. Key files are also checked where they are read.

    Raises:
        BadInput: others can read a private key, or change the folder of keys or the key set of the tokens' issuer.
    """
    folder, jwks = Path(settings.folder), settings.access.jwks
    if folder.is_dir():
        check_unchangeable(folder, "folder of keys and logs")
    for secret in (settings.tls_key, settings.model_server_key, settings.content_filter.moderation.key_file):
        if secret and Path(secret).exists():
            check_private(Path(secret), "file with a secret")
    if jwks and "://" not in jwks and Path(jwks).exists():
        check_unchangeable(Path(jwks), "key set")
    model = Path(settings.registry) / settings.model
    trusted = warnings([] if is_bucket(settings.registry) else [("registry", model.parent), ("registry of the model", model)])
    for line in [*trusted, *warnings([("folder of logs", folder / name) for name in ("audit", "requests", "outcomes")], private=True)]:
        log.warning("%s", line)
