"""The outermost layer: gives every request an id and every answer its security headers, and turns uncaught errors into the API's form."""

from collections.abc import Callable, Sequence
from http import HTTPStatus

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.gateway.http.admission import Room, overloaded
from serving.gateway.http.exchange import KEY, Exchange, Networks, client_address, request_id
from serving.gateway.http.refusals import error_response, internal
from serving.gateway.http.streaming import ClientGone
from serving.telemetry.metrics import Metrics

Header = tuple[bytes, bytes]

# An answer of the API is data: nothing in it is to be run, framed or guessed at. The page brings its own policy.
_ALWAYS: Sequence[Header] = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


class SecurityHeaders:
    """What is added to each answer that does not say it itself.

    Args:
        hsts_seconds: of Strict-Transport-Security, on HTTPS alone; 0 for none.
    """

    def __init__(self, hsts_seconds: int) -> None:
        self._https = (*_ALWAYS, *([(b"strict-transport-security", b"max-age=%d" % hsts_seconds)] if hsts_seconds else []))

    def added(self, given: Sequence[Header], scheme: str) -> list[Header]:
        """`given` and what is missing in it."""
        names = {name.lower() for name, _ in given}
        return [*given, *(header for header in (self._https if scheme == "https" else _ALWAYS) if header[0] not in names)]


log = structlog.get_logger("serving.gateway")
LEFT = 499  # no status of HTTP's: the client left, and nobody was answered

_ROUTES = {
    "/v1/generate": "generate", "/v1/feedback": "feedback", "/healthz": "health", "/readyz": "ready",
    "/metrics": "metrics", "/openapi.json": "openapi",
}  # fmt: skip


class Front:
    """ASGI middleware; not Starlette's base class for such, which would cost a task and two queues a request.

    Args:
        trusted: proxies whose X-Forwarded-For is believed.
        ended: told of each request at its end.
        room: while it is full, texts are asked for in vain. It is said at this door, before anything is read: behind it the refusals of a
            crowd would leave the others no time.
        body_bytes: longest body that may stay unread; a longer one goes on, to where reading has an end.
    """

    def __init__(
        self, app: ASGIApp, metrics: Metrics, headers: SecurityHeaders, trusted: Networks, ended: Callable[[Exchange], None], room: Room,
        body_bytes: int,
    ) -> None:  # fmt: skip
        self._app, self._metrics, self._headers, self._trusted, self._ended = app, metrics, headers, trusted, ended
        self._room, self._body_bytes = room, body_bytes

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
                headers = [*message.get("headers", ()), (b"x-request-id", exchange.id.encode())]
                message = {**message, "headers": self._headers.added(headers, scope["scheme"])}
            await send(message)

        with self._metrics.in_flight():
            try:
                if exchange.route == "generate" and self._room.full and self._may_stay_unread(scope):
                    refused = overloaded()
                    exchange.code = refused.code
                    return await error_response(refused, exchange.id)(scope, receive, sending)
                await self._app(scope, receive, sending)
            except (ClientGone, ClientDisconnect):
                exchange.status, exchange.code = LEFT, "client_gone"
            except Exception:
                log.exception("a request failed", route=exchange.route)
                exchange.code = "internal"
                if exchange.status:  # half an answer is out: the connection ends, so that nobody takes it for a whole one
                    exchange.status = HTTPStatus.INTERNAL_SERVER_ERROR
                    raise
                await error_response(internal(), exchange.id)(scope, receive, sending)
            finally:
                self._ended(exchange)
        return None

    def _may_stay_unread(self, scope: Scope) -> bool:
        told = Headers(scope=scope).get("content-length", "")
        return scope["method"] == "POST" and told.isascii() and told.isdigit() and int(told) <= self._body_bytes

    def _exchange(self, scope: Scope) -> Exchange:
        headers = Headers(scope=scope)
        peer = scope["client"][0] if scope.get("client") else ""
        ip = client_address(peer, headers.getlist("x-forwarded-for"), self._trusted)
        return Exchange(request_id(headers.get("x-request-id")), ip, _ROUTES.get(scope["path"], "page"))
