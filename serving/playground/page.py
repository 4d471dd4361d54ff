"""The page's routes: `/`, and its styles and modules under `/playground/`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC: Final = Path(__file__).parent / "static"

# Only our own files and our own API; no inline code, and (trusted types) no text that becomes markup: what a model writes stays text.
CONTENT_SECURITY_POLICY: Final = "; ".join([
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'", "base-uri 'none'",
    "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'",
])  # fmt: skip

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cache-Control": "no-cache",  # asked for anew by its ETag: a page never runs with the modules of another release
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class _Files(StaticFiles):
    """The folder's files with the page's headers, also on 304."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        MutableHeaders(raw=response.raw_headers).update(HEADERS)
        if Path(full_path).suffix == ".js":  # the machine's table of types may not know, and a browser runs no module of another type
            response.headers["Content-Type"] = "text/javascript; charset=utf-8"
        return response


def page() -> FileResponse:
    """The page itself."""
    return FileResponse(STATIC / "index.html", media_type="text/html", headers=dict(HEADERS))


def routes() -> list[BaseRoute]:
    """Routes for the gateway's application: `GET /` and `GET /playground/…`. They are public; the API behind them is not."""
    return [Route("/", lambda _: page(), name="page"), Mount("/playground", _Files(directory=STATIC), name="playground")]
