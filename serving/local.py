"""Run the model server and the gateway on this machine, and serve new champions of the registry (`make serve`)."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from robo_poet.atomic import write_text
from robo_poet.commands import command, make
from robo_poet.errors import BadInput
from robo_poet.permissions import check_unchangeable, make_private_folder
from robo_poet.process import dies_with_parent
from robo_poet.registry.registry import Registry
from robo_poet.settings.serve import ServeSettings
from serving.access.api_keys import CreatedKey, KeyStore
from serving.model_server.serving_folder import ServingFolder

READY_SECONDS = 120.0
DRAIN_SECONDS = 35.0  # longer than the request deadline (SERVE-2: 30 s)
PORTS = 8500, 8501  # gRPC and HTTP, as in TensorFlow Serving; infra/prometheus/prometheus.yml scrapes them
POLL_SECONDS = 1.0  # interval between reads of the registry


class ServingProcess:
    """A child process that prints one line when it is ready."""

    def __init__(self, name: str, arguments: list[str], log: Path) -> None:
        self.name, self.log = name, log
        self._file = log.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"serving.{name}", *arguments], stdout=subprocess.PIPE, stderr=self._file, text=True,
            start_new_session=True,  # Ctrl-C goes to this process only, which ends the gateway first, so that running requests finish
            preexec_fn=dies_with_parent(signal.SIGTERM),  # if this process is killed, the children finish running requests and end
        )  # fmt: skip

    def ready(self) -> str:
        """Wait for the ready line and return it.

        Raises:
            BadInput: the program ended first, or was not ready within `READY_SECONDS`. Its log has the reason.
        """
        watchdog = threading.Timer(READY_SECONDS, self.process.kill)
        watchdog.start()
        try:
            assert self.process.stdout is not None  # set by `stdout=PIPE`
            for line in self.process.stdout:
                if line.startswith(f"{self.name}: ready"):
                    threading.Thread(target=self._drop_output, daemon=True).start()
                    return line.strip()
        finally:
            watchdog.cancel()
        self.process.wait()
        last_line = next((line for line in reversed(self.log.read_text("utf-8", "replace").splitlines()) if line.strip()), "no output")
        raise BadInput(f"the program did not start ({last_line[:300]})", where=self.name, remedy=f"see {self.log}")

    def stop(self) -> None:
        """Stop the program with SIGTERM, so that running requests finish. Kill it after `DRAIN_SECONDS`."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(DRAIN_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._file.close()

    def _drop_output(self) -> None:
        with contextlib.suppress(ValueError, OSError):  # the pipe was closed meanwhile
            for _ in self.process.stdout or ():
                pass


def serve_here(settings: ServeSettings, registry: Path, folder: Path, say: Callable[[str], None]) -> None:
    """Serve the champion of the model `settings.model` until Ctrl-C or SIGTERM. A new champion is served without a restart.

    Args:
        folder: folder for keys, logs and files of the model server; created if missing.
        say: called with each line of output for the user.

    Raises:
        BadInput: there is no champion, or a program does not start or ends.
    """
    models = ServingFolder(Registry(registry, settings.model), folder / "models", xla=settings.signature == "generate_xla")
    with serving(settings, registry, folder, models, ports=PORTS if settings.port else (0, 0)) as (address, key, programs):
        say(f"robo-poet serves the model {settings.model} at {address}/#key={key}")
        example_body = '{"text": "Shall I compare thee"}'
        say(f"  curl -H 'X-API-Key: {key}' -H 'Content-Type: application/json' -d '{example_body}' {address}/v1/generate")
        say(f"  API: {address}/docs · metrics of the model server: {_metrics_url(folder)} · logs: {folder}/ · stop with Ctrl-C")
        stopped = threading.Event()
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signal_number, lambda *_: stopped.set())
        trouble = ""
        while not stopped.wait(POLL_SECONDS):
            for program in programs:
                if program.process.poll() is not None:
                    raise BadInput(
                        f"the program ended with status {program.process.returncode}", where=program.name, remedy=f"see {program.log}"
                    )
            previous_trouble = trouble
            try:
                models.lay_out()
                trouble = models.trouble
            except (BadInput, OSError) as error:  # no registry, a damaged champion or a full disk: keep serving the loaded versions
                trouble = f"the loaded versions stay in service: {error}"
            if trouble and trouble != previous_trouble:
                say(trouble)
        say("stopping …")


@contextlib.contextmanager
def serving(
    settings: ServeSettings, registry: Path, folder: Path, models: ServingFolder | None = None, *, ports: tuple[int, int] = (0, 0)
) -> Iterator[tuple[str, str, list[ServingProcess]]]:
    """Run both programs. Yield the gateway's address, an API key and the programs.

    The key is revoked at the end. If that fails, it expires after one day.

    Args:
        ports: gRPC and HTTP port of the model server. If a port is 0 or in use, a free port is selected.
    """
    _check_port(settings)
    make_private_folder(folder)
    check_unchangeable(folder, "folder of keys and logs")
    compiled = settings.signature == "generate_xla"
    config = (models or ServingFolder(Registry(registry, settings.model), folder / "models", xla=compiled)).lay_out()
    programs: list[ServingProcess] = []
    created_key: CreatedKey | None = None
    try:
        programs.append(ServingProcess("model_server", [
            f"--port={_port_or_any(ports[0])}", f"--rest_api_port={_port_or_any(ports[1])}",
            f"--model_config_file={config}", "--model_config_file_poll_wait_seconds=1",
            "--enable_batching=true", f"--xla_cpu_compilation_enabled={str(compiled).lower()}",
        ], folder / "model_server.log"))  # fmt: skip
        ready_words = programs[0].ready().split()
        model_server_address = ready_words[ready_words.index("http") + 1]
        gateway_settings = settings.model_copy(update={
            "model_server": f"http://{model_server_address}", "registry": str(registry.resolve()), "folder": str(folder.resolve()),
            "model_server_ca": "", "model_server_certificate": "", "model_server_key": "",  # for another machine; here it is loopback
        })  # fmt: skip
        # Create the key before the gateway starts: a running gateway sees a new key up to 1 s later.
        created_key = KeyStore(folder / "keys").create(user="you", scopes=("generate", "feedback", "metrics"), days=1)
        write_text(folder / "gateway.json", json.dumps(gateway_settings.model_dump(mode="json"), indent=1) + "\n")
        programs.append(ServingProcess("gateway", [f"--settings={folder / 'gateway.json'}"], folder / "gateway.log"))
        address = programs[1].ready().split()[-1]
        yield address, created_key.text, programs
    finally:
        for program in reversed(programs):
            program.stop()
        if created_key is not None:
            with contextlib.suppress(BadInput, OSError):  # the key expires anyway
                KeyStore(folder / "keys").revoke(created_key.key.id, "the server that created it has stopped")


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


def _metrics_url(folder: Path) -> str:
    """Return the URL of the model server's metrics."""
    return f"{json.loads((folder / 'gateway.json').read_text('utf-8'))['model_server']}/monitoring/prometheus/metrics"
