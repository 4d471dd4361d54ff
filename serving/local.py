"""Run the programs of the service on this machine, and serve new champions of the registry (`make serve`)."""

import contextlib
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from robo_poet.atomic import write_text
from robo_poet.commands import command, make
from robo_poet.errors import BadInput
from robo_poet.folder_lock import locked_folder
from robo_poet.local_folder import Address, absolute_address
from robo_poet.permissions import check_unchangeable
from robo_poet.registry.registry import Registry
from robo_poet.registry.trust.trust import Trust
from robo_poet.settings.canary import CanarySettings
from robo_poet.settings.serve import ServeSettings
from serving.access.api_keys import CreatedKey, KeyStore
from serving.model_sync.sync import lay_out
from serving.supervisor.program import PROBE_SECONDS, ChildProcess, Program
from serving.supervisor.supervisor import Supervisor

PORTS = 8500, 8501  # gRPC and HTTP, as in TensorFlow Serving; infra/prometheus/prometheus.yml scrapes them
METRICS_PORTS = {"canary": 9466, "model_sync": 9467}  # infra/prometheus/prometheus.yml scrapes them too
METRICS_AT = "metrics at "  # in the ready line of a program, before their URL
POLL_SECONDS = 1.0  # interval between checks of the supervisor
UNLOAD_SECONDS = 3.0  # besides the longest request and the delay of the gateway, until a version out of service is unloaded


class Stopped(Exception):
    """The user stopped the server before it was ready."""


@dataclass(frozen=True)
class Service:
    """The running programs.

    Attributes:
        address: URL of the gateway.
        key: API key, valid for a day or until the service stops.
        supervisor: restarts the programs.
        metrics: name of a program → URL of its Prometheus metrics at the start. A restarted program keeps it, unless its port is in use.
    """

    address: str
    key: str
    supervisor: Supervisor
    metrics: Mapping[str, str]

    @property
    def children(self) -> list[ChildProcess]:
        """The processes that run now, the model server first."""
        return list(self.supervisor.children.values())


def serve_here(
    settings: ServeSettings, registry: Address, folder: Path, say: Callable[[str], None], canary: CanarySettings | None = None
) -> None:
    """Serve the champion of the model `settings.model` until Ctrl-C or SIGTERM.

    A new champion is served without a restart. A program that ends is restarted; the others keep serving meanwhile.

    Args:
        registry: folder of the registry, or `gs://bucket/prefix`.
        folder: folder for keys, logs and files of the model server; created if missing. Only one server can use it at a time.
        say: called with each line of output for the user.
        canary: settings of the canary controller; None: no controller runs, and the shares of the users change by hand only.

    Raises:
        BadInput: there is no champion, another server uses the folder, or a program does not start.
    """
    stopped = threading.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: stopped.set())
    ports = PORTS if settings.port else (0, 0)

    def stopping() -> bool:
        if stopped.is_set():
            say("stopping …")
        return stopped.is_set()

    running = serving(settings, registry, folder, ports=ports, say=say, stopped=stopping, canary=canary)
    with contextlib.suppress(Stopped), running as service:
        say(f"robo-poet serves the model {settings.model} at {service.address}/#key={service.key}")
        example_body = '{"text": "Shall I compare thee"}'
        say(f"  curl -H 'X-API-Key: {service.key}' -H 'Content-Type: application/json' -d '{example_body}' {service.address}/v1/generate")
        say(f"  API: {service.address}/docs · logs: {folder}/ · stop with Ctrl-C")
        say(f"  metrics: {' · '.join(f'{name} {url}' for name, url in service.metrics.items())}")
        while not stopped.wait(POLL_SECONDS):
            service.supervisor.check()
        say("stopping …")


@contextlib.contextmanager
def serving(
    settings: ServeSettings, registry: Address, folder: Path, *, ports: tuple[int, int] = (0, 0),
    say: Callable[[str], None] = lambda _: None, stopped: Callable[[], bool] = lambda: False, canary: CanarySettings | None = None,
) -> Iterator[Service]:  # fmt: skip
    """Run the programs and yield the service. The key is revoked at the end. If that fails, it expires after one day.

    Args:
        ports: gRPC and HTTP port of the model server. If a port is 0 or in use, a free port is selected.
        say: called with a line at each restart of a program, and for each version that cannot be served, in other threads.
        stopped: returns True if the start is to be given up.

    Raises:
        BadInput: another server uses the folder, there is no champion, or a program does not start.
        Stopped: `stopped` returned True before the programs were ready.
    """
    other = f"stop it, or take another folder and port: {command(f'serve --model {settings.model} --folder {folder}2 --port 0')}"
    with locked_folder(folder, other) as lock, contextlib.ExitStack() as at_end:
        check_unchangeable(folder, "folder of keys and logs")
        _check_port(settings)
        compiled = settings.signature == "generate_xla"
        config = lay_out(Registry(registry, settings.model, Trust(settings.trusted_keys)), folder / "models", xla=compiled)
        # Create the key before the gateway starts: a running gateway sees a new key up to 1 s later.
        created_key = KeyStore(folder / "keys").create(user="you", scopes=("generate", "feedback", "metrics"), days=1)
        at_end.callback(_revoke, folder, created_key)
        gateway_settings = settings.model_copy(update={
            "registry": absolute_address(registry), "folder": str(folder.resolve()),
            "model_server_ca": "", "model_server_certificate": "", "model_server_key": "",  # for another machine; here it is loopback
        })  # fmt: skip
        programs = [
            _model_server(folder, config, ports, compiled), _model_sync(folder, gateway_settings, fixed=any(ports)),
            _gateway(folder, gateway_settings),
        ]  # fmt: skip
        if canary is not None:
            programs.append(_controller(folder, registry, settings, canary, fixed=any(ports)))
        supervisor = at_end.enter_context(Supervisor(programs, say))
        if not supervisor.wait_ready(stopped):
            raise Stopped
        address = supervisor.ready_lines["gateway"].split()[-1]
        lock.describe(address)
        yield Service(address, created_key.text, supervisor, _metrics(supervisor.ready_lines))


def _revoke(folder: Path, created_key: CreatedKey) -> None:
    with contextlib.suppress(BadInput, OSError):  # the key expires anyway
        KeyStore(folder / "keys").revoke(created_key.key.id, "the server that created it has stopped")


def _model_server(folder: Path, config: Path, ports: tuple[int, int], compiled: bool) -> Program:
    def arguments(ready_lines: Mapping[str, str]) -> list[str]:
        # A restart takes the same ports, because the gateway and Prometheus know them.
        words = ready_lines.get("model_server", "").split()
        grpc, http = (words[words.index(name) + 1].rpartition(":")[2] for name in ("grpc", "http")) if words else map(_port_or_any, ports)
        return [
            f"--port={grpc}", f"--rest_api_port={http}", f"--model_config_file={config}", "--model_config_file_poll_wait_seconds=1",
            "--enable_batching=true", f"--xla_cpu_compilation_enabled={str(compiled).lower()}",
        ]  # fmt: skip

    return Program("model_server", folder / "model_server.log", arguments, lambda ready: _answers(f"http://{_http(ready)}/v1/models/none"))


def _model_sync(folder: Path, settings: ServeSettings, *, fixed: bool = False) -> Program:
    grace = settings.deadline_seconds + settings.look_seconds + UNLOAD_SECONDS

    def arguments(ready_lines: Mapping[str, str]) -> list[str]:
        return [
            f"--registry={settings.registry}", f"--model={settings.model}", f"--folder={folder / 'models'}", f"--grace-seconds={grace:g}",
            f"--model-server=http://{_http(ready_lines['model_server'])}", f"--signature={settings.signature}", *_trusted(settings),
            f"--metrics-port={_metrics_port('model_sync', ready_lines, fixed=fixed)}",
        ]  # fmt: skip

    return Program("model_sync", folder / "model_sync.log", arguments, tells=True)


def _gateway(folder: Path, settings: ServeSettings) -> Program:
    def arguments(ready_lines: Mapping[str, str]) -> list[str]:
        changed: dict[str, object] = {"model_server": f"http://{_http(ready_lines['model_server'])}"}
        if ready := ready_lines.get("gateway"):
            changed["port"] = int(ready.rpartition(":")[2])  # a restart takes the same port, because the user knows it
        path = folder / "gateway.json"
        write_text(path, json.dumps(settings.model_copy(update=changed).model_dump(mode="json"), indent=1) + "\n")
        return [f"--settings={path}"]

    return Program("gateway", folder / "gateway.log", arguments, lambda ready: _answers(f"{ready.split()[-1]}/healthz"))


def _controller(folder: Path, registry: Address, settings: ServeSettings, canary: CanarySettings, *, fixed: bool = False) -> Program:
    path = folder / "canary.json"

    def arguments(ready_lines: Mapping[str, str]) -> list[str]:
        write_text(path, canary.model_dump_json(indent=1) + "\n")
        return [
            f"--settings={path}", f"--registry={absolute_address(registry)}", f"--model={settings.model}", f"--folder={folder.resolve()}",
            f"--deadline_seconds={settings.deadline_seconds:g}", *_trusted(settings),
            f"--metrics_port={_metrics_port('canary', ready_lines, fixed=fixed)}",
        ]  # fmt: skip

    return Program("canary", folder / "canary.log", arguments)


def _trusted(settings: ServeSettings) -> list[str]:
    """Return the arguments by which a program trusts the same keys as the gateway."""
    return [f"--trusted-key={key}" for key in settings.trusted_keys]


def _http(ready: str) -> str:
    """Return host and port of the HTTP API from the ready line of the model server."""
    words = ready.split()
    return words[words.index("http") + 1]


def _answers(url: str) -> bool:
    """Return True if a server gives any HTTP answer. The certificate is not verified: only the process is asked whether it runs."""
    try:
        httpx.get(url, timeout=PROBE_SECONDS, verify=False, trust_env=False)
    except httpx.HTTPError:
        return False
    return True


def _check_port(settings: ServeSettings) -> None:
    """Check that the gateway can listen, before the model server starts, which takes seconds.

    Raises:
        BadInput: another program uses the port, or the port needs other rights.
    """
    host, port, model = settings.host, settings.port, settings.model
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else str(error)  # `strerror` repeats the address
        free = f"take a free port: {make(f'serve MODEL={model} PORT=0')} or {command(f'serve --model {model} --port 0')}"
        raise BadInput(f"the address cannot be used ({reason})", where=f"{host}:{port}", remedy=free) from None


def _port_or_any(port: int) -> int:
    """Return `port`, or 0 if another program uses it."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


def _metrics_port(name: str, ready_lines: Mapping[str, str], *, fixed: bool) -> int:
    """Return the port of a program's metrics: that of the run before, or the one that Prometheus expects if it is `fixed`; 0 if in use."""
    if url := _metrics(ready_lines).get(name):
        return _port_or_any(urlsplit(url).port or 0)
    return _port_or_any(METRICS_PORTS[name]) if fixed else 0


def _metrics(ready_lines: Mapping[str, str]) -> dict[str, str]:
    """Return the URL of the metrics of each program that is ready, by name."""
    urls = {name: line.rpartition(METRICS_AT)[2] for name, line in ready_lines.items() if METRICS_AT in line}
    if line := ready_lines.get("gateway"):
        urls["gateway"] = f"{line.split()[-1]}/metrics"
    if line := ready_lines.get("model_server"):
        urls["model_server"] = f"http://{_http(line)}/monitoring/prometheus/metrics"
    return dict(sorted(urls.items()))
