"""A simulated TensorFlow Serving that loads no models: how it takes configurations and what it reports.

The rules were read from its `server_core.cc`: versions before labels; all labels of a configuration are refused if one points to a version
that is not AVAILABLE; a version that is no longer configured is unloaded once a configured one is AVAILABLE, whatever the labels are.
"""

import contextlib
import json
import re
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from serving.model_sync.plan import AVAILABLE, END, STABLE, Config, Loaded


class SimulatedServer:
    """The versions and labels of one model.

    Attributes:
        broken: versions that cannot be loaded.
        refused: the refused configurations.
        cut_off: versions that were unloaded while the label `stable` selected them.
    """

    def __init__(self) -> None:
        self.states: dict[int, str] = {}
        self.labels: dict[str, int] = {}
        self.config = Config()
        self.broken: set[int] = set()
        self.refused: list[Config] = []
        self.cut_off: list[int] = []

    def start(self, config: Config) -> None:
        """Start, or start again after a crash. With --allow_version_labels_for_unavailable_models, the first labels are not checked."""
        self.states, self.labels, self.config = {}, dict(config.labels), config
        self.states = dict.fromkeys(config.versions, "LOADING")

    def read(self, config: Config) -> None:
        """Take a configuration, as at each poll of the file."""
        self.config = config
        for number in config.versions:
            if number not in self.states or (self.states[number] == END and number not in self.broken):
                self.states[number] = "LOADING"
        if all(self.states.get(number) == AVAILABLE for number in config.labels.values()):
            self.labels = dict(config.labels)
        else:
            self.refused.append(config)

    def work(self) -> None:
        """Finish what began: load versions, then unload those that are not configured."""
        for number, state in self.states.items():
            if state == "LOADING":
                self.states[number] = END if number in self.broken else AVAILABLE
        if any(self.states.get(number) == AVAILABLE for number in self.config.versions):
            for number, state in self.states.items():
                if state == AVAILABLE and number not in self.config.versions:
                    self.states[number] = END
                    self.cut_off += [number] if self.labels.get(STABLE) == number else []

    def ask(self, *, stable: bool) -> Loaded:
        """Report as the client of the program under test does."""
        errors = dict.fromkeys(self.broken & self.states.keys(), "no such op")
        return Loaded(dict(self.states), errors, self.labels.get(STABLE) if stable else None)


@contextlib.contextmanager
def over_http(server: SimulatedServer, model: str, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Answer status and metadata requests about a simulated server. Yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            label = re.fullmatch(rf"/v1/models/{model}/labels/(\w+)/metadata", self.path)
            if label and server.states.get(server.labels.get(label[1], 0)) == AVAILABLE:
                self._answer(200, {"model_spec": {"name": model, "version": str(server.labels[label[1]])}, "metadata": {}})
            elif label:
                self._answer(400, {"error": f"Unrecognized servable version label: {label[1]}"})
            elif self.path == f"/v1/models/{model}" and server.states:
                status = {
                    number: {"error_code": "OK", "error_message": "no such op" if number in server.broken else ""}
                    for number in server.states
                }
                answers = [
                    {"version": str(number), "state": state, "status": status[number]} for number, state in list(server.states.items())
                ]
                self._answer(200, {"model_version_status": answers})
            else:
                self._answer(404, {"error": f"Could not find any versions of model {model}"})

        def _answer(self, status: int, content: object) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):  # the client was killed
                self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.handle_error = lambda *_: None  # type: ignore[method-assign]
    if tls:
        http.socket = tls.wrap_socket(http.socket, server_side=True)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{http.server_address[1]}"
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
