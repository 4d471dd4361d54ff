"""The gateway's interface to the writer process: starts it, writes to it without blocking, and restarts it if it dies."""

import contextlib
import fcntl
import json
import os
import select
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import robo_poet
from robo_poet.settings.serve import RequestLogSettings

PIPE_BYTES = 1 << 20  # bytes of pipe buffer
SEND_SECONDS = 1.0  # seconds that a line waits for space in the pipe before it is dropped
RESTART_SECONDS = (0.0, 1.0, 5.0, 30.0)  # seconds before the first, second, … start of the process
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class WriterProcess:
    """The process `python -m robo_poet.request_log`, fed with lines. Not thread-safe: one thread uses it.

    Args:
        folder: folder of the log.
        settings: passed to the process.
        closing: returns True if `send` must not wait any longer for a process that does not read.
    """

    def __init__(self, folder: Path, settings: RequestLogSettings, closing: Callable[[], bool]) -> None:
        self._folder, self._settings, self._closing = folder, settings, closing
        self._process: subprocess.Popen[bytes] | None = None
        self._starts, self._started = 0, float("-inf")
        self._incomplete_line = b""
        self._earlier_counts: Counter[str] = Counter()  # counts of earlier processes
        self._counts: Counter[str] = Counter()
        self.trouble = ""

    @property
    def counts(self) -> Counter[str]:
        """Return the counts of the process, including those before its restarts."""
        return self._earlier_counts + self._counts

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def send(self, line: bytes) -> bool:
        """Write a line to the process; return False if the process is dead or does not read."""
        if not self.ensure_running():
            return False
        assert self._process
        assert self._process.stdin
        handle, view, since = self._process.stdin.fileno(), memoryview(line), time.monotonic()
        while view:
            try:
                view = view[os.write(handle, view) :]
            except BlockingIOError:
                unsent = len(view) == len(line)
                if (unsent and time.monotonic() - since > SEND_SECONDS) or self._closing():
                    return False
                select.select([], [handle], [], 0.1)
            except OSError:  # the process died
                return False
        return True

    def ensure_running(self) -> bool:
        """Start the process if it is not running and the restart delay has passed. Return True if it is running."""
        if self._process and self._process.poll() is None:
            return True
        if self._process:
            self._detach()
            if time.monotonic() - self._started > RESTART_SECONDS[-1]:
                self._starts = 1  # it ran for a while, so begin again with the short pauses
        if time.monotonic() - self._started < RESTART_SECONDS[min(self._starts, len(RESTART_SECONDS) - 1)]:
            return False
        self._start()
        return self._process is not None

    def read_counts(self) -> None:
        """Read the counts that the process has reported."""
        if not self._process or not self._process.stdout:
            return
        with contextlib.suppress(BlockingIOError, OSError):
            while data := os.read(self._process.stdout.fileno(), 1 << 16):
                *lines, self._incomplete_line = (self._incomplete_line + data).split(b"\n")
                for line in lines:
                    with contextlib.suppress(ValueError):
                        self._update_counts(json.loads(line))

    def close(self, seconds: float) -> None:
        """Close the input of the process and wait up to `seconds` for its end.

        After that time, this method returns and the process finishes later.
        """
        if not self._process or not self._process.stdin:
            return
        self._process.stdin.close()
        deadline = time.monotonic() + seconds
        while self._process.poll() is None and time.monotonic() < deadline:
            self.read_counts()
            time.sleep(0.02)
        self._detach()

    def _update_counts(self, report: dict[str, Any]) -> None:
        self._counts, self.trouble = Counter(report["counts"]), report["trouble"]

    def _start(self) -> None:
        root = str(Path(robo_poet.__file__).parents[1])
        path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
        command = [sys.executable, "-m", "robo_poet.request_log", "--folder", str(self._folder.absolute())]
        command += ["--settings", self._settings.model_dump_json()]
        self._starts, self._started = self._starts + 1, time.monotonic()
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env={**os.environ, **ONE_THREAD, "PYTHONPATH": path}
            )
        except OSError as error:
            self.trouble = f"the writer process cannot be started: {error.strerror}"
            return
        assert self._process.stdin
        assert self._process.stdout
        for pipe in (self._process.stdin, self._process.stdout):
            os.set_blocking(pipe.fileno(), False)
        with contextlib.suppress(OSError):  # the size exceeds the limit for unprivileged users
            fcntl.fcntl(self._process.stdin.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def _detach(self) -> None:
        assert self._process
        self.read_counts()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._earlier_counts += self._counts
        self._counts, self._incomplete_line = Counter(), b""
        if self._process.returncode is None:
            self._process.returncode = 0  # still running: mark it as finished, so that Popen does not warn about it
        self._process = None
