"""The outermost middleware: request ids, security headers, and error responses for uncaught exceptions."""

import asyncio
from collections.abc import Callable, Sequence
from http import HTTPStatus

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.gateway.http.admission import InFlightLimit, overloaded
from serving.gateway.http.exchange import CONNECTION, KEY, Exchange, Networks, client_address, request_id, valid_id
from serving.gateway.http.refusals import error_response, internal
from serving.gateway.http.responses import ClientDisconnected
from serving.telemetry.metrics import Metrics

Header = tuple[bytes, bytes]

# API responses are data: browsers must not run, frame or sniff them. The playground page sets its own policy.
_SECURITY_HEADERS: Sequence[Header] = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


class SecurityHeaders:
    """The security headers, added to responses that do not set them.

    Args:
        hsts_seconds: max-age of Strict-Transport-Security, in seconds. The header is sent only over HTTPS; if 0, it is not sent.
    """

    def __init__(self, hsts_seconds: int) -> None:
        self._https = (*_SECURITY_HEADERS, *([(b"strict-transport-security", b"max-age=%d" % hsts_seconds)] if hsts_seconds else []))

    def with_missing(self, given: Sequence[Header], scheme: str) -> list[Header]:
        """Return the headers `given` plus the security headers that are missing."""
        names = {name.lower() for name, _ in given}
        return [*given, *(header for header in (self._https if scheme == "https" else _SECURITY_HEADERS) if header[0] not in names)]


log = structlog.get_logger("serving.gateway")
CLIENT_CLOSED_REQUEST = 499  # not an HTTP status: the client disconnected before the response

_ROUTES = {
    "/v1/generate": "generate", "/v1/feedback": "feedback", "/healthz": "health", "/readyz": "ready",
    "/metrics": "metrics", "/openapi.json": "openapi",
}  # fmt: skip


class GatewayMiddleware:
    """ASGI middleware around the application.

    It does not use Starlette's BaseHTTPMiddleware, which costs one task and two queues per request.

    Args:
        trusted: networks of proxies whose X-Forwarded-For is used.
        answering: called with the exchange of each request before the first byte of its answer.
        ended: called with the exchange of each request at its end.
        in_flight: limit on concurrent generation requests. At the limit, a request is refused here, before its body is read. Refusing it
            later would take too much time from the running requests under load.
        body_bytes: largest body, in bytes, that may stay unread. A request with a longer body goes to the endpoint, which limits its size.
    """

    def __init__(
        self, app: ASGIApp, metrics: Metrics, headers: SecurityHeaders, trusted: Networks,
        answering: Callable[[Exchange], None], ended: Callable[[Exchange], None], in_flight: InFlightLimit, body_bytes: int,
    ) -> None:  # fmt: skip
        self._app, self._metrics, self._headers, self._trusted = app, metrics, headers, trusted
        self._answering, self._ended = answering, ended
        self._in_flight, self._body_bytes = in_flight, body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        exchange = self._exchange(scope)
        scope[KEY] = exchange
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=exchange.id)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = exchange.status or message["status"]
                self._answering(exchange)
                headers = [*message.get("headers", ()), (b"x-request-id", (exchange.client_id or exchange.id).encode())]
                if exchange.connection is not None and exchange.connection.ends_with(message["status"]):
                    headers.append((b"connection", b"close"))
                message = {**message, "headers": self._headers.with_missing(headers, scope["scheme"])}
            await send(message)

        with self._metrics.in_flight():
            try:
                if exchange.route == "generate" and self._in_flight.full and self._may_stay_unread(scope):
                    refused = overloaded()
                    exchange.code = refused.code
                    return await error_response(refused, exchange.id)(scope, receive, sending)
                await self._app(scope, receive, sending)
            except (ClientDisconnected, ClientDisconnect):
                exchange.status, exchange.code = CLIENT_CLOSED_REQUEST, "client_gone"
            except asyncio.CancelledError:  # the gateway stops, and waits no longer for this request
                exchange.status, exchange.code = HTTPStatus.INTERNAL_SERVER_ERROR, "internal"
                raise
            except Exception:
                log.exception("request failed", route=exchange.route)
                exchange.code = "internal"
                if exchange.status:  # part of the response was sent: abort the connection, so that the client sees an incomplete response
                    exchange.status = HTTPStatus.INTERNAL_SERVER_ERROR
                    raise
                await error_response(internal(), exchange.id)(scope, receive, sending)
            finally:
                self._ended(exchange)
        return None

    def _may_stay_unread(self, scope: Scope) -> bool:
        content_length = Headers(scope=scope).get("content-length", "")
        return (
            scope["method"] == "POST" and content_length.isascii() and content_length.isdigit() and int(content_length) <= self._body_bytes
        )

    def _exchange(self, scope: Scope) -> Exchange:
        headers = Headers(scope=scope)
        peer = scope["client"][0] if scope.get("client") else ""
        ip = client_address(peer, headers.getlist("x-forwarded-for"), self._trusted)
        return Exchange(
            request_id(), ip, _ROUTES.get(scope["path"], "page"), connection=scope.get(CONNECTION),
            client_id=valid_id(headers.get("x-request-id")),
        )  # fmt: skip
