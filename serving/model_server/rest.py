"""TensorFlow Serving's REST API: predict, status, metadata and Prometheus metrics."""

import asyncio
import contextlib
import json
import re
import time
from collections.abc import Coroutine
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from robo_poet.loopback import names_loopback
from serving.model_server.calls import metadata_json, predict
from serving.model_server.errors import CallError, Code
from serving.model_server.json_codec import decode_request, encode_answer, to_arrays
from serving.model_server.metrics import ServerMetrics
from serving.model_server.versions import LoadedVersions

PATH = re.compile(r"/v1/models/([^/:]+)(?:/versions/(\d{1,18})|/labels/([^/:]+))?(/metadata|:[a-z]+)?")
BODY_BYTES = 8 << 20  # limit of a body; a full batch of prompts of full length takes 200 kB


class LocalHosts:
    """ASGI middleware for a server on a loopback address: requests whose Host header does not name this machine get 403.

    Nothing else protects a server without credentials from a web page whose name resolves to 127.0.0.1 (DNS rebinding).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or names_loopback(Headers(scope=scope).getlist("host")):
            return await self._app(scope, receive, send)
        refused = CallError(Code.PERMISSION_DENIED, "the Host header must be localhost or a loopback address")
        await _error(refused)(scope, receive, send)
        return None


def make_app(versions: LoadedVersions, metrics: ServerMetrics, *, local: bool = False) -> Starlette:
    """Return the ASGI application with the REST API.

    Args:
        local: the server listens on a loopback address, so each request must name one in its Host header.
    """

    async def models(request: Request) -> Response:
        path = request.scope["path"]  # not `request.url`, which depends on the Host header
        malformed = CallError(Code.NOT_FOUND, f"Malformed request: {request.method} {path[:200]}")
        match = PATH.fullmatch(path)
        if match is None:
            return _error(malformed)
        model, number, label, action = match[1], int(match[2]) if match[2] else None, match[3], match[4]
        try:
            if request.method == "GET" and action is None:
                return _json({"model_version_status": [
                    {"version": str(n), "state": str(status.state), "status": {
                        "error_code": "UNKNOWN" if status.error else "OK", "error_message": status.error}}
                    for n, status in versions.statuses(model, number, label).items()
                ]})  # fmt: skip
            if request.method == "GET" and action == "/metadata":
                return _json(metadata_json(model, versions.choose(model, number, label)))
            if request.method == "POST" and action == ":predict":
                return await _predict(request, model, number, label)
        except CallError as error:
            return _error(error)
        return _error(malformed)

    async def _predict(request: Request, model: str, number: int | None, label: str | None) -> Response:
        started = time.perf_counter()
        try:
            signature, values, rows = decode_request(await _body(request))
            seconds = _seconds(request)
        except CallError as error:  # count it here: `predict` counts only the calls that reach it
            metrics.record_call(model, number or 0, error.code.name, time.perf_counter() - started)
            raise
        work = predict(versions, metrics, model, number, label, signature, lambda specs: to_arrays(values, specs), seconds)
        _, result = await _while_connected(request, work)
        return Response(encode_answer(result, rows), media_type="application/json")

    async def prometheus_metrics(request: Request) -> Response:
        return PlainTextResponse(metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return Starlette(middleware=[Middleware(LocalHosts)] if local else [], routes=[
        Route("/monitoring/prometheus/metrics", prometheus_metrics, methods=["GET"]),
        Route("/{rest:path}", models, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
    ])  # fmt: skip


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_BYTES:
            raise CallError(Code.INVALID_ARGUMENT, f"the body is larger than {BODY_BYTES} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _seconds(request: Request) -> float | None:
    """Return the time until the client's deadline in seconds, from the header `x-deadline-ms`. TensorFlow Serving ignores this header."""
    header = request.headers.get("x-deadline-ms")
    if header is None:
        return None
    if not header.isascii() or not header.isdigit() or len(header) > 9:
        raise CallError(Code.INVALID_ARGUMENT, "x-deadline-ms must be a whole number of milliseconds")
    return int(header) / 1000


async def _while_connected(request: Request, work: Coroutine[Any, Any, Any]) -> Any:
    """Await `work`, and cancel it when the client disconnects. A request that is still queued is then never started."""

    async def wait_for_disconnect() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    work_task, disconnect_task = asyncio.ensure_future(work), asyncio.ensure_future(wait_for_disconnect())
    try:
        await asyncio.wait({work_task, disconnect_task}, return_when=asyncio.FIRST_COMPLETED)
        if work_task.done():
            return work_task.result()
        raise CallError(Code.CANCELLED, "the client disconnected")
    finally:
        for task in (work_task, disconnect_task):
            if not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, CallError, ClientDisconnect):
                    await task


def _json(value: Any) -> Response:
    return Response(json.dumps(value, indent=1), media_type="application/json")


def _error(error: CallError) -> Response:
    headers = {"Retry-After": "1"} if error.code is Code.UNAVAILABLE else {}
    return Response(json.dumps({"error": error.message}), error.code.value, headers, "application/json")
