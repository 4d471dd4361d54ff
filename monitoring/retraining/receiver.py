"""The HTTP interface of the trigger: `POST /alerts` for Alertmanager's webhook, and `GET /metrics` for Prometheus (MON-4).

Answers of `/alerts`: 200 with the decisions; 400 for another form; 401 without the token; 408 for a slow sender; 413 above 1 MiB; 503 if
the log cannot be written or the registry cannot be read. Alertmanager sends a message again after a 5xx, and gives up after a 4xx.
"""

import asyncio
import hmac
import logging
import re
from collections.abc import Callable, Iterator

from prometheus_client import CONTENT_TYPE_LATEST, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from monitoring.retraining.alerts import parse_alerts
from monitoring.retraining.trigger import Trigger
from robo_poet.errors import BadInput
from robo_poet.exporter import LookSeries
from robo_poet.judges.retraining.decision import Decision

log = logging.getLogger("monitoring.retraining")
LARGEST_BODY = 1 << 20  # bytes
BODY_SECONDS = 10.0  # time for a whole body
ANSWERS = ("start", "wait_for_approval", "wait", "refuse", "duplicate", "ignore")


class RetrainingMetrics(Collector):
    """Metrics of the log: its entries by action, and whether a run goes on or waits for a person. A log that cannot be read has none."""

    def __init__(self, trigger: Trigger) -> None:
        self._trigger = trigger

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        model = self._trigger.model
        try:
            state, counts, unapproved = self._trigger.state(), self._trigger.counts(), self._trigger.unapproved()
        except (BadInput, OSError) as error:
            log.error("no metrics of the log: %s", error)
            return
        total = CounterMetricFamily("robo_poet_retraining", "Entries of the log of retraining.", labels=["model", "action"])
        for action, count in counts.items():
            total.add_metric([model, action], count)
        yield total
        yield _gauge("running", "1 while a retraining runs.", model, float(state.running is not None))
        yield _gauge("open", "Requests that wait: for a person, the cool-down, the budget or another attempt.", model, len(state.open))
        yield _gauge("unapproved", "Requests among them that wait for a person.", model, unapproved)


LOOK = "look_timestamp_seconds"


class TriggerSeries(LookSeries):
    """All metrics of the trigger.

    Attributes:
        answers: counts the received alerts by model and decision.
    """

    def __init__(self, trigger: Trigger) -> None:
        super().__init__("robo_poet_retraining", trigger.model, {LOOK: "Time of the last look without an error; 0 before the first one."})
        self.registry.register(RetrainingMetrics(trigger))
        text = "Received alerts by the decision about them."
        self.answers = Counter("robo_poet_retraining_alerts", text, ["model", "action"], registry=self.registry)
        for answer in ANSWERS:
            self.answers.labels(trigger.model, answer)


def _gauge(name: str, help_: str, model: str, value: float) -> Metric:
    family = GaugeMetricFamily(f"robo_poet_retraining_{name}", help_, labels=["model"])
    family.add_metric([model], value)
    return family


def receiver(trigger: Trigger, token: bytes, series: TriggerSeries, received: Callable[[], None]) -> Starlette:
    """Return the application.

    Args:
        token: the secret that the sender has to know.
        series: counts the alerts; `/metrics` shows it.
        received: called after each message with the right form.
    """

    async def alerts(request: Request) -> Response:
        if not _has_token(request, token):
            return _error(401, "the token is missing or wrong", {"WWW-Authenticate": 'Bearer realm="retraining"'})
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(request)
        except TimeoutError:
            return _error(408, f"the body did not arrive in {BODY_SECONDS:g} s", {"Connection": "close"})
        except ClientDisconnect:
            return _error(400, "the sender has gone", {"Connection": "close"})
        if body is None:
            return _error(413, f"the body is larger than {LARGEST_BODY:,} bytes", {"Connection": "close"})
        try:
            parsed = await run_in_threadpool(parse_alerts, body)
        except BadInput as error:
            log.warning("an alert is not understood: %s", error)
            return _error(400, str(error))
        try:
            decisions = await run_in_threadpool(trigger.receive, parsed)
        except (BadInput, OSError) as error:
            log.error("an alert is not recorded, and Alertmanager sends it again: %s", error)
            return _error(503, f"the alerts are not recorded, send them again: {error}")
        received()
        for decision in decisions:
            series.answers.labels(trigger.model, decision.action).inc()
        return JSONResponse({"decisions": [_as_json(decision) for decision in decisions]})

    def metrics(_: Request) -> Response:
        return Response(generate_latest(series.registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/alerts", alerts, methods=["POST"]), Route("/metrics", metrics, methods=["GET"])])


def _has_token(request: Request, token: bytes) -> bool:
    header = re.fullmatch(r"Bearer +(\S+)", request.headers.get("authorization", ""), re.IGNORECASE)
    return header is not None and hmac.compare_digest(header[1].encode("utf-8"), token)


async def _body(request: Request) -> bytes | None:
    """Return the body; None as soon as it is larger than allowed."""
    parts, size = [], 0
    if int(request.headers.get("content-length") or 0) > LARGEST_BODY:  # httptools has checked that it is a number
        return None
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BODY:
            return None
        parts.append(part)
    return b"".join(parts)


def _as_json(decision: Decision) -> dict[str, object]:
    return {"action": decision.action, "reason": decision.reasons[0], "key": decision.evidence["key"]}


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status, headers)
