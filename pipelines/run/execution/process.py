"""Runs a step's container as a process of this machine: the interpreter of its environment in place of its image.

A `Runner` knows nothing of graphs, caches or retries: it runs one program and says how it ended.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipelines.run.ir.steps import NO_LIMITS, Container, Resources
from robo_poet.errors import BadInput
from robo_poet.process import dies_with_parent

KEPT = (  # nothing secret: where things are, and what a GPU or a test double needs
    "PATH", "HOME", "LANG", "TMPDIR", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
)  # fmt: skip
FIXED = {"TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1"}
# Kills the process groups that are still there when our end of the pipe closes, as it does even on SIGKILL: a step's own children get no
# death signal, and would otherwise hold the working folder's lock for ever.
_WATCHDOG = """
import os, signal, sys
groups = set()
for line in sys.stdin:
    groups.add(int(line)) if int(line) > 0 else groups.discard(-int(line))
for group in groups:
    try: os.killpg(group, signal.SIGKILL)
    except OSError: pass
"""


@dataclass(frozen=True)
class Job:
    """A container with its placeholders resolved.

    Args:
        cwd: its working folder; it writes only below this, and logs to `log`.
        reads: paths outside `cwd` that its arguments name.
        lock: an open file that the process is to inherit: it stays locked as long as the process lives.
        resources: limits, for a runner that can set them; a process of this machine has none.
    """

    image: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    reads: tuple[Path, ...]
    lock: int
    resources: Resources = NO_LIMITS


class Runner(Protocol):
    """A way to run containers."""

    def check(self, container: Container) -> None:
        """Refuse, before anything runs, what this runner could not run.

        Raises:
            BadInput: names the image.
        """

    def run(self, job: Job, cancel: threading.Event) -> int:
        """Run to the end, or until `cancel` is set; returns the exit status, or minus the signal's number."""

    def close(self) -> None:
        """Let go of what the runner holds, at the end of a run."""


class ProcessRunner:
    """Steps as processes; one runner serves one run at a time.

    Args:
        root: the repository, put on PYTHONPATH.
        interpreter: image → the Python of the environment that stands for it; raises BadInput for an image it does not know.
        environment: variables that steps get besides those of `KEPT` and `FIXED`.
        grace: seconds between SIGTERM and SIGKILL on cancellation.
    """

    def __init__(
        self, root: Path, interpreter: Callable[[str], Path], environment: Mapping[str, str] | None = None, grace: float = 5.0
    ) -> None:
        self.root, self.interpreter, self.grace = root.resolve(), interpreter, grace
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.environment = {"LANG": "C.UTF-8", **kept, **FIXED, "PYTHONPATH": str(self.root), **(environment or {})}
        self.guard = threading.Lock()
        self.watchdog: subprocess.Popen[str] | None = None

    def check(self, container: Container) -> None:
        """See `Runner.check`."""
        if not container.command:
            raise BadInput("a container without a command cannot run as a process", where=container.image)
        if _is_python(container.command[0]) and not self.interpreter(container.image).exists():
            raise BadInput(f"no interpreter at {self.interpreter(container.image)}", where=container.image, remedy="set up its environment")

    def run(self, job: Job, cancel: threading.Event) -> int:
        """See `Runner.run`. The whole process group ends with the step; a killed executor takes it along."""
        argv = list(job.argv)
        if _is_python(argv[0]):
            argv[0] = str(self.interpreter(job.image))
        job.log.parent.mkdir(parents=True, exist_ok=True)
        with job.log.open("ab") as log:
            try:
                process = subprocess.Popen(
                    argv, cwd=job.cwd, env={**self.environment, **job.env}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    start_new_session=True, pass_fds=(job.lock,), preexec_fn=dies_with_parent(signal.SIGKILL),
                )  # fmt: skip
            except OSError as error:
                log.write(f"error: {argv[0]}: {os.strerror(error.errno or 0).lower()}\n".encode())
                return 127
        handle = os.pidfd_open(process.pid)
        try:
            self._watch(process.pid)
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            deadline: float | None = None
            while not poll.poll(100):
                if cancel.is_set() and deadline is None:
                    deadline = time.monotonic() + self.grace
                    _signal(process.pid, signal.SIGTERM)
                if deadline is not None and time.monotonic() > deadline:
                    _signal(process.pid, signal.SIGKILL)
        finally:
            os.close(handle)
            _signal(process.pid, signal.SIGKILL)  # what the step left behind; before `wait`, while the group's number is still its own
            process.wait()
            self._watch(-process.pid)
        return process.returncode

    def _watch(self, group: int) -> None:
        with self.guard:
            if self.watchdog is None:
                self.watchdog = subprocess.Popen(
                    [sys.executable, "-ISc", _WATCHDOG], stdin=subprocess.PIPE, text=True, bufsize=1, start_new_session=True
                )
            assert self.watchdog.stdin
            with contextlib.suppress(BrokenPipeError):  # somebody killed the watchdog; the death signal is left
                print(group, file=self.watchdog.stdin, flush=True)

    def close(self) -> None:
        """End the watchdog; a later `run` starts another."""
        with self.guard:
            if self.watchdog is not None and self.watchdog.stdin:
                self.watchdog.stdin.close()
                self.watchdog.wait()
                self.watchdog = None


def _is_python(program: str) -> bool:
    return program in ("python", "python3")


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
