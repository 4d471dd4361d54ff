"""A Kubeflow Pipelines API (v2beta1) on the loopback: enough of it to refuse what the real one would refuse. One thread; ends by itself.

Every refusal of a call that is wrong in itself is kept in `faults`; the fixture fails the test for them.
"""

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import kfp_server_api

from tests.pipelines.cluster.kubeflow_calls import Calls
from tests.pipelines.cluster.package_checks import Refusal, check_parameters

LIFE = 60.0  # seconds; no test needs more
ROUTES = [
    ("GET", r"/healthz", "healthz"),
    ("GET", r"/experiments", "list_experiments"),
    ("POST", r"/experiments", "create_experiment"),
    ("GET", r"/pipelines", "list_pipelines"),
    ("POST", r"/pipelines", "create_pipeline"),
    ("POST", r"/pipelines/upload_version", "upload_version"),
    ("GET", r"/pipelines/([^/:]+)/versions", "list_versions"),
    ("GET", r"/pipelines/([^/:]+)/versions/([^/:]+)", "get_version"),
    ("POST", r"/runs", "create_run"),
    ("GET", r"/runs/([^/:]+)", "get_run"),
    ("POST", r"/runs/([^/:]+):terminate", "terminate_run"),
    ("GET", r"/recurringruns", "list_recurring"),
    ("POST", r"/recurringruns", "create_recurring"),
    ("GET", r"/recurringruns/([^/:]+)", "get_recurring"),
    ("POST", r"/recurringruns/([^/:]+):(enable|disable)", "switch_recurring"),
    ("DELETE", r"/recurringruns/([^/:]+)", "delete_recurring"),
]
Body = dict[str, Any]


class Kubeflow(HTTPServer):
    """The server and all that it holds. `story`: what each look at a run shows, the last one for ever."""

    def __init__(self, *, token: str = "", namespaces: tuple[str, ...] = ()) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.timeout, self.deadline, self.over = 0.05, time.monotonic() + LIFE, threading.Event()
        self.token, self.namespaces = token, namespaces  # namespaces: then it has many users
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.calls: list[str] = []
        self.faults: list[str] = []
        self.silent = 0  # calls that get no answer
        self.gateway: tuple[int, bytes, tuple[str, str]] | None = None
        self.things: dict[str, dict[str, Body]] = {kind: {} for kind in ("experiments", "pipelines", "versions", "runs", "recurring")}
        self.add("experiments", {"display_name": "Default", "namespace": namespaces[0] if namespaces else ""})
        self.story: list[Body] = [{"state": "PENDING"}, {"state": "RUNNING"}, {"state": "SUCCEEDED"}]
        self.looks = 0
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Kubeflow":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join(5)
        self.server_close()

    def _serve(self) -> None:
        while not self.over.is_set() and time.monotonic() < self.deadline:
            self.handle_request()

    def add(self, kind: str, thing: Body) -> Body:
        identity = {"versions": "pipeline_version", "recurring": "recurring_run"}.get(kind, kind.removesuffix("s"))
        thing[f"{identity}_id"] = f"{identity}-{len(self.things[kind]) + 1}"
        self.things[kind][thing[f"{identity}_id"]] = thing
        return thing

    def one(self, kind: str, identity: str) -> Body:
        if identity not in self.things[kind]:
            raise Refusal(404, f"{kind} {identity} not found")
        return self.things[kind][identity]

    def allowed(self, namespace: str) -> None:
        if self.namespaces and not namespace:
            raise Refusal(400, "An experiment cannot have an empty namespace in multi-user mode")
        if self.namespaces and namespace not in self.namespaces:
            raise Refusal(403, f"User 'me@example.com' is not authorized with reason: (request: namespace:{namespace!r})")
        if namespace and not self.namespaces:
            raise Refusal(400, "In single-user mode, the namespace must be empty")

    def version_of(self, body: Body) -> Body:
        """The pipeline version that a run refers to, once its parameters fit."""
        reference, runtime = body["pipeline_version_reference"], body.get("runtime_config", {})
        version = self.one("versions", reference["pipeline_version_id"])
        if version["pipeline_id"] != reference["pipeline_id"]:
            raise Refusal(400, "the version is of another pipeline")
        self.one("experiments", body["experiment_id"])
        _known(runtime, kfp_server_api.V2beta1RuntimeConfig)
        check_parameters(version["pipeline_spec"], runtime.get("parameters", {}))
        return version


def _known(body: Body, model: Any, required: tuple[str, ...] = ()) -> Body:
    """The real server's JSON has these fields; one that it does not know is a defect of ours."""
    if unknown := set(body) - set(model.attribute_map.values()):
        raise Refusal(400, f"{model.__name__} has no {sorted(unknown)}")
    if missing := [key for key in required if not body.get(key)]:
        raise Refusal(400, f"{model.__name__} needs {missing}")
    return body


class Handler(BaseHTTPRequestHandler):
    """One call. A method of `Routes` a route, named in ROUTES."""

    server: Kubeflow
    timeout = 5.0

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        server, url = self.server, urlsplit(self.path)
        if server.silent:
            server.silent -= 1
            self.close_connection = True
            return
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        self.query = {key: values[0] for key, values in parse_qs(url.query, keep_blank_values=True).items()}
        if server.gateway:  # it answers in Kubeflow's stead
            self._send(*server.gateway)
            return
        status, answer = 200, {}
        try:
            route, found = self._route(url.path)
            server.calls.append(route)
            if server.token and self.headers.get("Authorization") != f"Bearer {server.token}":
                raise Refusal(401, "Request header error: there is no user identity header")
            answer = getattr(Calls(self), route)(*found)
        except Refusal as refusal:
            status, answer = refusal.status, {"error": str(refusal), "code": 3, "message": str(refusal), "details": []}
            if status == 400 or status == 405:
                server.faults.append(f"{self.command} {self.path}: {refusal}")
        except Exception as error:  # a KeyError is a field that is missing
            status, answer = 400, {"error": repr(error)}
            server.faults.append(f"{self.command} {self.path}: {error!r}")
        self._send(status, json.dumps(answer).encode())

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _answer

    def _route(self, path: str) -> tuple[str, tuple[str, ...]]:
        if not path.startswith("/apis/v2beta1/"):
            raise Refusal(405, f"no API at {path}")
        for method, pattern, name in ROUTES:
            match = re.fullmatch("/apis/v2beta1" + pattern, path)
            if match and method == self.command:
                return name, match.groups()
        raise Refusal(405, f"no method {self.command} at {path}")

    def _send(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for key, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **dict(headers)}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def json(self, model: Any, *required: str) -> Body:
        if not (self.headers.get("Content-Type") or "").startswith("application/json"):
            raise Refusal(400, "not JSON")
        return _known(json.loads(self.body), model, required)
