"""Both programs on this machine: the model server behind, the gateway in front, and the registry followed (`make serve`)."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from robo_poet.atomic import write_text
from robo_poet.errors import BadInput
from robo_poet.process import dies_with_parent
from robo_poet.registry.registry import Registry
from robo_poet.settings.serve import ServeSettings
from serving.access.api_keys import CreatedKey, KeyStore
from serving.model_server.serving_folder import ServingFolder

READY_SECONDS = 120.0
DRAIN_SECONDS = 35.0  # more than a request may take (SERVE-2: 30 s)
PORTS = 8500, 8501  # of TensorFlow Serving, which infra/prometheus/prometheus.yml reads
LOOK_SECONDS = 1.0  # how often the registry is looked at


class Program:
    """One of our programs as a process, which says in one line when it is ready."""

    def __init__(self, name: str, arguments: list[str], log: Path) -> None:
        self.name, self.log = name, log
        self._file = log.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"serving.{name}", *arguments], stdout=subprocess.PIPE, stderr=self._file, text=True,
            start_new_session=True,  # Ctrl-C is ours: the gateway ends first, so that no reader is cut off
            preexec_fn=dies_with_parent(signal.SIGTERM),  # where we are killed, they finish what runs and end
        )  # fmt: skip

    def ready(self) -> str:
        """Wait for its ready line, and return it.

        Raises:
            BadInput: it ended before, or took too long; the log says why.
        """
        watchdog = threading.Timer(READY_SECONDS, self.process.kill)
        watchdog.start()
        try:
            assert self.process.stdout is not None  # by `stdout=PIPE`
            for line in self.process.stdout:
                if line.startswith(f"{self.name}: ready"):
                    threading.Thread(target=self._drop_output, daemon=True).start()
                    return line.strip()
        finally:
            watchdog.cancel()
        self.process.wait()
        last = next((line for line in reversed(self.log.read_text("utf-8", "replace").splitlines()) if line.strip()), "it said nothing")
        raise BadInput(f"it did not start ({last[:300]})", where=self.name, remedy=f"see {self.log}")

    def stop(self) -> None:
        """End it: what runs is finished first."""
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
        with contextlib.suppress(ValueError, OSError):  # closed meanwhile
            for _ in self.process.stdout or ():
                pass


def serve_here(settings: ServeSettings, registry: Path, folder: Path, say: Callable[[str], None]) -> None:
    """Serve the registry's champion until Ctrl-C or SIGTERM; whoever is champion later is served from then on.

    Args:
        folder: for keys, logs and the model server's files; made if it is not there.
        say: takes the lines for people.

    Raises:
        BadInput: there is no champion, or a program does not start.
    """
    models = ServingFolder(Registry(registry), folder / "models", xla=settings.signature == "generate_xla")
    with serving(settings, registry, folder, models, ports=PORTS if settings.port else (0, 0)) as (address, key, programs):
        say(f"robo-poet serves at {address}/#key={key}")
        asked = '{"text": "Shall I compare thee"}'
        say(f"  curl -H 'X-API-Key: {key}' -H 'Content-Type: application/json' -d '{asked}' {address}/v1/generate")
        say(f"  the API: {address}/docs · metrics of the model server: {_metrics(folder)} · logs: {folder}/ · Ctrl-C ends it")
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        trouble = ""
        while not stopped.wait(LOOK_SECONDS):
            for program in programs:
                if program.process.poll() is not None:
                    raise BadInput(f"it ended with status {program.process.returncode}", where=program.name, remedy=f"see {program.log}")
            before = trouble
            try:
                models.lay_out()
                trouble = models.trouble
            except (BadInput, OSError) as error:  # no registry now, a champion that is damaged, a full disk: what is loaded goes on
                trouble = f"the versions served stay as they are: {error}"
            if trouble and trouble != before:
                say(trouble)
        say("ending …")


@contextlib.contextmanager
def serving(
    settings: ServeSettings, registry: Path, folder: Path, models: ServingFolder | None = None, *, ports: tuple[int, int] = (0, 0)
) -> Iterator[tuple[str, str, list[Program]]]:
    """Both programs, running: address, a key that is good for a day at most, and the programs.

    Args:
        ports: of the model server, gRPC and HTTP, where they are free; 0 takes any.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    compiled = settings.signature == "generate_xla"
    config = (models or ServingFolder(Registry(registry), folder / "models", xla=compiled)).lay_out()
    programs: list[Program] = []
    made: CreatedKey | None = None
    try:
        programs.append(Program("model_server", [
            f"--port={_free(ports[0])}", f"--rest_api_port={_free(ports[1])}",
            f"--model_config_file={config}", "--model_config_file_poll_wait_seconds=1",
            "--enable_batching=true", f"--xla_cpu_compilation_enabled={str(compiled).lower()}",
        ], folder / "model_server.log"))  # fmt: skip
        said = programs[0].ready().split()
        behind = said[said.index("http") + 1]
        given = settings.model_copy(update={
            "model_server": f"http://{behind}", "registry": str(registry.resolve()), "folder": str(folder.resolve()),
        })  # fmt: skip
        # Before the gateway starts, which would see it a second later only.
        made = KeyStore(folder / "keys").create(user="you", scopes=("generate", "feedback", "metrics"), days=1)
        write_text(folder / "gateway.json", json.dumps(given.model_dump(mode="json"), indent=1) + "\n")
        programs.append(Program("gateway", [f"--settings={folder / 'gateway.json'}"], folder / "gateway.log"))
        address = programs[1].ready().split()[-1]
        yield address, made.text, programs
    finally:
        for program in reversed(programs):
            program.stop()
        if made is not None:
            with contextlib.suppress(BadInput, OSError):  # it ends by itself
                KeyStore(folder / "keys").revoke(made.key.id, "the server that made it has ended")


def _free(port: int) -> int:
    """`port`, or 0 where another program has it."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


def _metrics(folder: Path) -> str:
    """Where the model server tells its own."""
    return f"{json.loads((folder / 'gateway.json').read_text('utf-8'))['model_server']}/monitoring/prometheus/metrics"
