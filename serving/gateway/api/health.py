"""The endpoints for liveness, readiness and Prometheus metrics (INFRA-3, MON-1)."""

from collections.abc import Callable
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from robo_poet.loopback import is_local
from serving.gateway.backend.versions import ServedVersions
from serving.gateway.http.admission import Admission
from serving.gateway.http.exchange import Networks, exchange_of
from serving.gateway.http.responses import json_response
from serving.telemetry.metrics import Metrics


class HealthEndpoints:
    """The endpoints for monitoring. What `/readyz` says is also a metric, for the alerts: `robo_poet_ready` and `robo_poet_problems`;
    and whether the registry is refused: `robo_poet_registry_refused`.

    Args:
        log_has_problem: returns True if the request log has a problem. Details may contain paths, so they are only in the gateway's log.
        outcome_problem: returns the current problem of the outcomes, without paths, or an empty text.
        metrics_for: who may read the metrics; see `ServeSettings.metrics_for`.
        proxies: networks of the trusted proxies. Their requests are never local.
    """

    def __init__(
        self, versions: ServedVersions, metrics: Metrics, admission: Admission, log_has_problem: Callable[[], bool],
        outcome_problem: Callable[[], str],
        metrics_for: Literal["loopback", "scope", "all"], proxies: Networks = (),
    ) -> None:  # fmt: skip
        self._versions, self._metrics, self._admission = versions, metrics, admission
        self._log_has_problem, self._outcome_problem = log_has_problem, outcome_problem
        self._metrics_for, self._proxies = metrics_for, proxies
        metrics.watch_value("ready", "1 if requests can be answered, else 0.", lambda: self._versions.health.ready)
        refused = "1 if the registry differs from what trusted keys signed, else 0."
        metrics.watch_value("registry_refused", refused, lambda: self._versions.health.refused)
        metrics.watch_value("problems", "Number of problems that /readyz lists.", lambda: len(self._problems()))

    async def alive(self) -> Response:
        """Return 200 while the process runs."""
        return json_response({"status": "alive"})

    async def ready(self) -> Response:
        """Return 200 if requests can be answered, else 503. Both bodies list the problems."""
        version_health = self._versions.health
        body = {
            "status": "ready" if version_health.ready else "not_ready",
            "champion": version_health.champion,
            "canary": version_health.canary,
            "canary_share": version_health.share,
            "degraded": self._problems(),
        }
        return json_response(body, 200 if version_health.ready else 503, {} if version_health.ready else {"Retry-After": "1"})

    async def metrics(self, request: Request) -> Response:
        """Return the metrics in Prometheus text format.

        Raises:
            Refused: 401, 403, 429 or 503 if access needs the scope `metrics` and is refused.
        """
        if self._metrics_for != "all" and not (self._metrics_for == "loopback" and self._is_local(request)):
            await self._admission.admit(exchange_of(request.scope), request.headers, "metrics")
        return Response(self._metrics.render(), headers={"Cache-Control": "no-store"}, media_type=self._metrics.content_type)

    def _problems(self) -> list[str]:
        log_problems = ["the request log has a problem; see the gateway's log"] if self._log_has_problem() else []
        if problem := self._outcome_problem():
            log_problems.append(problem)
        return [*self._versions.health.troubles, *self._admission.troubles, *log_problems]

    def _is_local(self, request: Request) -> bool:
        peer = request.client.host if request.client else ""
        return is_local(peer, request.headers.items(), request.scope.get("http_version", ""), self._proxies)
