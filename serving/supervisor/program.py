"""A program of the service and one run of it as a child process. A program prints one line when it is ready."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from robo_poet.process import dies_with_parent

DRAIN_SECONDS = 35.0  # longer than the request deadline (SERVE-2: 30 s)
PROBE_SECONDS = 5.0  # time between two probes of a program, and the longest wait for an answer


@dataclass(frozen=True)
class Program:
    """A program that the supervisor runs as `python -m serving.NAME`.

    Attributes:
        name: name of the module in `serving`. The program is ready when it prints a line that starts with `NAME: ready`.
        log: file for its standard error; each run appends to it.
        arguments: returns the arguments of the next run from the latest ready line of each program, by name. A restart can thus take the
            port of the run before, so that the other programs find it again.
        answers: takes the ready line and returns True if the program answers a request now, within `PROBE_SECONDS`. None: it is not asked.
        tells: the lines of its standard output, except the ready line, are for the user.
    """

    name: str
    log: Path
    arguments: Callable[[Mapping[str, str]], Sequence[str]]
    answers: Callable[[str], bool] | None = None
    tells: bool = False


class ChildProcess:
    """One run of a program.

    Call it in a thread that lives as long as the child: the kernel ends the child when the thread that started it ends.

    Args:
        arguments: arguments of the command line.
        say: called with each line of its standard output except the ready line, in another thread.

    Attributes:
        ready_line: the line that the program printed when it was ready; empty before.
        answered: monotonic time of the last answer to a probe, in seconds; None before the first one.

    Raises:
        OSError: the process cannot be started, or its log cannot be opened.
    """

    def __init__(self, name: str, arguments: Sequence[str], log: Path, say: Callable[[str], None] = lambda _: None) -> None:
        self.name, self.log, self.ready_line, self._say = name, log, "", say
        self.answered: float | None = None
        with log.open("ab") as file:
            self._log_start = file.tell()
            self.process = subprocess.Popen(
                [sys.executable, "-m", f"serving.{name}", *arguments],
                stdout=subprocess.PIPE, stderr=file, encoding="utf-8", errors="replace",
                start_new_session=True,  # Ctrl-C goes to this process only, which ends the gateway first, so that running requests finish
                preexec_fn=dies_with_parent(signal.SIGTERM),  # if this process is killed, the children finish running requests and end
            )  # fmt: skip
        threading.Thread(target=self._read_output, name=f"output of {name}", daemon=True).start()

    def probe(self, answers: Callable[[str], bool]) -> None:
        """Ask the program regularly whether it answers, in a thread of its own, and note the time of each answer in `answered`."""

        def ask() -> None:
            while not self.ended:
                if answers(self.ready_line):
                    self.answered = time.monotonic()
                time.sleep(PROBE_SECONDS)

        threading.Thread(target=ask, name=f"probe of {self.name}", daemon=True).start()

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return self.process.poll() is not None

    @property
    def killed(self) -> bool:
        """Whether a signal ended the process."""
        return (self.process.returncode or 0) < 0

    def end_reason(self) -> str:
        """Return how the process ended, in words; after an error, with the last line of this run's log."""
        status = self.process.returncode
        if status < 0:
            return f"was killed by {_signal_name(-status)}"
        if status == 0:
            return "ended with status 0"
        with self.log.open("rb") as file:
            file.seek(self._log_start)
            lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
        return f"ended with status {status} ({lines[-1][:300] if lines else 'no output'})"

    def stop(self) -> None:
        """Stop the program with SIGTERM, so that running requests finish. Kill it after `DRAIN_SECONDS`."""
        if not self.ended:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(DRAIN_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End the process with SIGKILL and wait until it has ended."""
        self.process.kill()
        self.process.wait()

    def _read_output(self) -> None:
        """Read the output to its end, so that the program never waits for a full pipe."""
        assert self.process.stdout is not None  # set by `stdout=PIPE`
        with self.process.stdout as output:
            for line in output:
                if not self.ready_line and line.startswith(f"{self.name}: ready"):
                    self.ready_line = line.strip()
                else:
                    self._say(line.strip())


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
