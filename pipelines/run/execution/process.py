"""The process runner: runs a step as a local process, with the Python of its environment instead of its image.

A `Runner` runs one program and returns its exit status. The graph, the cache and retries are handled elsewhere.
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

from pipelines.run.ir.steps import NO_LIMITS, Container, Limits
from pipelines.run.step_log import StepOutput
from robo_poet.commands import make
from robo_poet.errors import BadInput
from robo_poet.process import dies_with_parent
from robo_poet.registry.storage.cache import VARIABLE as CACHE_VARIABLE
from robo_poet.registry.trust.trust import VARIABLES as TRUST_VARIABLES

KEPT = (  # no secrets: paths, public keys and proxies, and settings for GPUs and the storage emulator of tests
    "PATH", "HOME", "LANG", "TMPDIR", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS",
    "XDG_CONFIG_HOME", "XDG_CACHE_HOME", CACHE_VARIABLE, *TRUST_VARIABLES,
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
)  # fmt: skip
FIXED = {"TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1"}
# Kills the remaining process groups when the pipe from this process closes, which also happens on SIGKILL. The children of a step get no
# death signal, so without this they would hold the lock of the working folder forever.
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
        cwd: working folder; the container writes only below it.
        log: file for its output.
        reads: paths outside `cwd` that its arguments name.
        lock: file descriptor that the process inherits, so the working folder stays locked while the process lives.
        resources: limits, for runners that support them; local processes have none.
    """

    image: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    reads: tuple[Path, ...]
    lock: int
    resources: Limits = NO_LIMITS


class Runner(Protocol):
    """The interface of a runner, which executes containers."""

    def check(self, container: Container) -> None:
        """Reject a container that this runner cannot run. Called for each step before any step runs.

        Raises:
            BadInput: names the image.
        """

    def run(self, job: Job, cancel: threading.Event) -> int:
        """Run a job until it ends or `cancel` is set. Return the exit status, or minus the number of the signal."""

    def close(self) -> None:
        """Release the runner's resources. Called at the end of a run."""


class ProcessRunner:
    """A runner that runs steps as local processes. One runner serves one run at a time.

    Args:
        root: root of the repository, for PYTHONPATH.
        interpreter: returns the Python interpreter for an image; raises BadInput for an unknown image.
        environment: variables for steps, in addition to `KEPT` and `FIXED`.
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
            raise BadInput("the container has no command", where=container.image)
        if _is_python(container.command[0]) and not self.interpreter(container.image).exists():
            raise BadInput(
                f"no Python interpreter at {self.interpreter(container.image)}", where=container.image, remedy=f"run {make('setup')}"
            )

    def run(self, job: Job, cancel: threading.Event) -> int:
        """See `Runner.run`. The whole process group is killed when the step ends, and also if the executor is killed."""
        argv = list(job.argv)
        if _is_python(argv[0]):
            argv[0] = str(self.interpreter(job.image))
        with StepOutput(job.log) as output:
            try:
                process = subprocess.Popen(
                    argv, cwd=job.cwd, env={**self.environment, **job.env}, stdin=subprocess.DEVNULL, stdout=output.handle,
                    stderr=output.handle, start_new_session=True, pass_fds=(job.lock,), preexec_fn=dies_with_parent(signal.SIGKILL),
                )  # fmt: skip
            except OSError as error:
                output.write(f"error: {argv[0]}: {os.strerror(error.errno or 0).lower()}\n")
                return 127
            output.started()
            self._wait(process, cancel)
        return process.returncode

    def _wait(self, process: "subprocess.Popen[bytes]", cancel: threading.Event) -> None:
        """Wait until a step has ended. On cancellation, stop it."""
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
            _signal(process.pid, signal.SIGKILL)  # kills leftover children; before `wait`, as the group id can be reused after it
            process.wait()
            self._watch(-process.pid)

    def _watch(self, group: int) -> None:
        with self.guard:
            if self.watchdog is None:
                self.watchdog = subprocess.Popen(
                    [sys.executable, "-ISc", _WATCHDOG], stdin=subprocess.PIPE, text=True, bufsize=1, start_new_session=True
                )
            assert self.watchdog.stdin
            with contextlib.suppress(BrokenPipeError):  # the watchdog was killed; the death signal still works
                print(group, file=self.watchdog.stdin, flush=True)

    def close(self) -> None:
        """Stop the watchdog. A later `run` starts a new one."""
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
