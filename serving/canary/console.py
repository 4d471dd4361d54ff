"""The operators' console: read-only pages of all models, of each release and of the drift of live traffic, on loopback (SERVE-5)."""

import html
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from robo_poet.errors import BadInput
from robo_poet.judges.canary.policy import Policy
from robo_poet.registry.registry import Registry
from serving.canary.controller import Controller, Look
from serving.canary.status_page import STYLE, decision_notes, headline, status_page

REFRESH_SECONDS = 15  # a page of 3,000 users costs about 2 s of CPU time, so it is made at most once in this time
MOVES = 12  # newest log entries on a page
HOSTS = ["127.0.0.1", "localhost"]  # a page elsewhere must not read this one through a name that resolves to loopback
HEADERS = {
    "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}  # fmt: skip


@dataclass(frozen=True)
class Drift:
    """The drift of a model. The functions are called for each new page.

    Attributes:
        line: returns one line for the page of all models.
        section: returns the body of a page, as HTML.
    """

    line: Callable[[], str]
    section: Callable[[], str]


@dataclass(frozen=True)
class Watched:
    """A model of the console. `drift` is None if no drift is shown."""

    registry: Registry
    controller: Controller
    policy: Policy
    drift: Drift | None = None


def _moves(registry: Registry) -> str:
    rows = ""
    for statement in (entry.statement for entry in reversed(registry.log()[-MOVES:])):
        share = f" {statement.details['share']:.0%}" if "share" in statement.details else ""
        verdict = f": {statement.details['verdict']}" if "verdict" in statement.details else ""
        move = f"{statement.action.replace('_', ' ')}{share}{verdict}"
        cells = (statement.time[:19].replace("T", " "), move, str(statement.version), statement.who, statement.why)
        rows += "<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in cells) + "</tr>"
    return f"<h2>Latest moves</h2><table><tr><th>time (UTC)<th>move<th>version<th>who<th>why</tr>{rows}</table>"


TABLE = """
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; } .wide { overflow-x: auto; }
.wide :is(td, th):not(:last-child) { white-space: nowrap; } a { color: var(--accent); }
h2 { margin-top: 1.5rem; } section.card { margin-top: 1rem; }
td, th { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; }
"""


def _page(title: str, body: str) -> str:
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<meta http-equiv=refresh content={REFRESH_SECONDS}><title>{html.escape(title)}</title>"
        f"<style>{STYLE}{TABLE}</style>{body}</html>\n"
    )


def _summary(name: str, watched: Watched) -> str:
    registry = watched.registry
    champion, look = registry.champion(), watched.controller.look()
    lines = headline(look, name, watched.policy) if look else ["no release is going on"]
    served = f"{champion.name} is the champion" if champion else "there is no champion"
    notes = decision_notes(registry.state(), name) if look is None else []
    text = "".join(f"<p>{html.escape(line)}</p>" for line in (served, *notes, *lines))
    link = f"<p><a href='/canary/{name}'>the release in detail</a></p>" if look else ""
    if watched.drift:
        link += f"<p>{html.escape(watched.drift.line())} · <a href='/drift/{name}'>drift in detail</a></p>"
    return f"<h2>{html.escape(name)}</h2>{text}{link}{_moves(registry)}"


def _detail(name: str, watched: Watched) -> str:
    look: Look | None = watched.controller.look()
    if look is None:
        return _page(name, f"<p><a href='/'>all models</a></p>{_summary(name, watched)}")
    page = status_page(look, name, watched.policy)
    refresh = f"<meta http-equiv=refresh content={REFRESH_SECONDS}><title>"
    return page.replace("<title>", refresh, 1).replace("</html>", f"<p><a href='/'>all models</a></p>{_moves(watched.registry)}</html>")


def console(models: Mapping[str, Watched], hosts: Sequence[str] = HOSTS, clock: Callable[[], float] = time.monotonic) -> Starlette:
    """Return the application. Pages refresh themselves, change nothing, and need nothing from elsewhere.

    Args:
        models: by name.
        hosts: accepted values of the header Host, without the port.
    """
    lock = threading.Lock()
    pages: dict[str, tuple[float, str]] = {}

    def made(key: str, make: Callable[[], str]) -> HTMLResponse:
        with lock:  # the pages are made one after the other, whatever the number of open windows
            if key not in pages or clock() - pages[key][0] >= REFRESH_SECONDS - 1:
                try:
                    pages[key] = clock(), make()
                except (BadInput, OSError) as error:
                    body = f"<h1>The console cannot read its data</h1><p>{html.escape(str(error))}</p>"
                    return HTMLResponse(_page("Console", body), status_code=500, headers=HEADERS)
            return HTMLResponse(pages[key][1], headers=HEADERS)

    def index(_: Request) -> HTMLResponse:
        return made("", lambda: _page("Console", "<h1>Models</h1>" + "".join(_summary(*item) for item in models.items())))

    def detail(request: Request) -> HTMLResponse:
        name = request.path_params["model"]
        if name not in models:
            return HTMLResponse(_page("not found", "<p>There is no such model. <a href='/'>All models</a></p>"), 404, HEADERS)
        return made(name, lambda: _detail(name, models[name]))

    def drift(request: Request) -> HTMLResponse:
        name = request.path_params["model"]
        shown = models[name].drift if name in models else None
        if shown is None:
            return HTMLResponse(_page("not found", "<p>There is no such model. <a href='/'>All models</a></p>"), 404, HEADERS)
        back = "<p><a href='/'>all models</a></p>"
        return made(f"drift/{name}", lambda: _page(f"Drift of {name}", shown.section() + back))

    routes = [Route(path, page, methods=["GET"]) for path, page in (("/", index), ("/canary/{model}", detail), ("/drift/{model}", drift))]
    return Starlette(routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))])
