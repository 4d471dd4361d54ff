"""The ASGI application: wiring of the parts, routes, start-up and shutdown."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

from serving.gateway.api.feedback import FeedbackEndpoint
from serving.gateway.api.generation import GenerationEndpoint
from serving.gateway.api.health import HealthEndpoints
from serving.gateway.api.openapi import HEADERS as DOCS_HEADERS
from serving.gateway.api.openapi import describe, docs_page, error_responses, rate_limited, request_spec
from serving.gateway.assemble import Parts
from serving.gateway.http.admission import Admission, InFlightLimit
from serving.gateway.http.exchange import exchange_of, networks
from serving.gateway.http.front import GatewayMiddleware, SecurityHeaders
from serving.gateway.http.refusals import error_response, framework_refusal
from serving.gateway.schema import FeedbackAnswer, FeedbackRequest, GenerateAnswer, GenerateRequest, HealthAnswer, ReadyAnswer
from serving.gateway.writing.ledger import Ledger
from serving.gateway.writing.write import CompletionWriter, Filtering
from serving.refusal import Refused

_BODY = (400, 401, 403, 408, 413, 415, 422, 429, 500, 503)


EVENTS = (
    "With `stream: true`. Each `text` event has `sample` (from 0), `text`, and `tokens` if requested. Pieces of several samples are "
    "interleaved. The last event is `done`, with the same body as without a stream, or `error`, an error body with `status_code`."
)


def make_app(parts: Parts) -> FastAPI:
    """Return the application made from the parts. It closes the parts at shutdown."""
    settings, versions = parts.settings, parts.versions
    admission, in_flight = Admission(parts.access, parts.limiter), InFlightLimit(settings.in_flight, settings.in_flight_per_user)
    filtering = Filtering(parts.content_filter, parts.metrics, parts.pseudonyms.text, settings.content_filter.attempts)
    filter_rules = settings.content_filter.rules
    values_may_pass = (filter_rules.prompt, filter_rules.completion) != ("refuse", "refuse") or bool(settings.content_filter.rules_off)
    ledger = Ledger(parts.metrics, parts.audit, parts.request_log, parts.outcomes, parts.pseudonyms, values_may_pass=values_may_pass)
    writer = CompletionWriter(parts.client, filtering, settings.signature)
    generation = GenerationEndpoint(settings, admission, in_flight, versions, filtering, writer, parts.ids, ledger, parts.shadow)
    feedback_endpoint = FeedbackEndpoint(settings, admission, versions, parts.ids, ledger)
    proxies = networks(settings.trusted_proxies)
    health = HealthEndpoints(
        versions,
        parts.metrics,
        admission,
        lambda: parts.request_log.trouble != "",
        lambda: parts.outcomes.trouble,
        settings.metrics_for,
        proxies,
    )

    app = FastAPI(
        title="robo-poet", version="1", docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lambda _: _lifespan(parts)
    )
    app.add_middleware(
        GatewayMiddleware, metrics=parts.metrics, headers=SecurityHeaders(settings.hsts_seconds),
        trusted=proxies, answering=ledger.answering, ended=ledger.ended, in_flight=in_flight, body_bytes=settings.body_bytes,
    )  # fmt: skip
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _refused_by_framework)

    events = {"text/event-stream": {"schema": {"type": "string", "description": EVENTS}}}
    metrics_content = {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus text format 0.0.4."}

    @app.post(
        "/v1/generate", summary="Continue a text", tags=["texts"], response_model=GenerateAnswer,
        openapi_extra=request_spec(GenerateRequest),
        responses={200: {**rate_limited("The completions."), "content": events}, **error_responses(*_BODY, 502, 504)},
    )  # fmt: skip
    async def generate(request: Request) -> Response:
        """Continue `text`, `num_samples` times. The completions do not repeat the prompt."""
        return await generation.answer(request)

    @app.post(
        "/v1/feedback", summary="Rate a completion", tags=["texts"], response_model=FeedbackAnswer,
        openapi_extra=request_spec(FeedbackRequest),
        responses={200: rate_limited("The rating was recorded."), **error_responses(*_BODY, 404)},
    )  # fmt: skip
    async def feedback(request: Request) -> Response:
        """Rate a completion with a thumb, with 1 to 5 points, or with both. If a rating is sent again, the last one counts."""
        return await feedback_endpoint.answer(request)

    @app.get("/healthz", summary="Liveness probe", tags=["operation"], response_model=HealthAnswer)
    async def alive() -> Response:
        return await health.alive()

    @app.get("/readyz", summary="Readiness probe", tags=["operation"], response_model=ReadyAnswer, responses={503: {"model": ReadyAnswer}})
    async def ready() -> Response:
        return await health.ready()

    @app.get(
        "/metrics", summary="Metrics for Prometheus", tags=["operation"], response_class=Response,
        responses={200: metrics_content, **error_responses(401, 403, 429, 503)},
    )  # fmt: skip
    async def metrics(request: Request) -> Response:
        return await health.metrics(request)

    # Load balancers also probe with HEAD: the status of GET, without a body. uvicorn drops the body.
    app.add_api_route("/healthz", health.alive, methods=["HEAD"], include_in_schema=False)
    app.add_api_route("/readyz", health.ready, methods=["HEAD"], include_in_schema=False)
    app.router.routes.extend(parts.page)
    describe(app)
    docs = docs_page(app.openapi())
    app.add_api_route("/docs", lambda: HTMLResponse(docs, headers=DOCS_HEADERS), include_in_schema=False)
    parts.metrics.watch_queue(lambda: parts.client.waiting)
    return app


@contextlib.asynccontextmanager
async def _lifespan(parts: Parts) -> AsyncGenerator[None]:
    """Load the versions before the first request and keep them up to date. At shutdown, write all pending log records."""
    await parts.versions.update()
    watching = asyncio.create_task(parts.versions.watch(parts.settings.look_seconds))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await parts.shadow.close()
        await parts.client.close()
        await parts.content_filter.aclose()
        await parts.limiter.close()
        await asyncio.gather(*(asyncio.to_thread(close) for close in parts.closing))


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    exchange = exchange_of(request.scope)
    exchange.code = error.code
    return error_response(error, exchange.id)


async def _refused_by_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return await _refused(request, framework_refusal(error.status_code, error.headers))
