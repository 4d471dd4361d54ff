"""Routes of the playground: the page at `/`, its styles and JavaScript modules under `/playground/`."""

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

# The page may load only files from its own origin, call only the API there, and run no inline code. Trusted Types stop the browser
# from parsing the model's text as HTML.
CONTENT_SECURITY_POLICY: Final = "; ".join([
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'", "base-uri 'none'",
    "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'",
])  # fmt: skip

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cache-Control": "no-cache",  # revalidate by ETag, so that a page never runs with modules of another release
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class _Files(StaticFiles):
    """Static files with the headers of the page, also on 304 responses."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        MutableHeaders(raw=response.raw_headers).update(HEADERS)
        if Path(full_path).suffix == ".js":  # the system's MIME table may lack .js, and browsers reject modules of another type
            response.headers["Content-Type"] = "text/javascript; charset=utf-8"
        return response


def page() -> FileResponse:
    """Return the response with the page."""
    return FileResponse(STATIC / "index.html", media_type="text/html", headers=dict(HEADERS))


def routes() -> list[BaseRoute]:
    """Return the routes `GET /` and `GET /playground/…`. They need no key, but the API does."""
    return [Route("/", lambda _: page(), name="page"), Mount("/playground", _Files(directory=STATIC), name="playground")]
